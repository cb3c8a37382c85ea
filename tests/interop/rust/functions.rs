// Durable functions with the official SDK, for every type of operation, under Lambda's runtime.
//
//     functions durable     # or plain
//
// One Lambda function runs them all, so that a few processes serve every test: the event names
// one, for example {"run": "retried_step"}. In the environment, PAUSE_SECONDS says how long waits
// and back-offs are, and MARKERS names a folder for what outlives a process.

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, process};

use aws_config::BehaviorVersion;
use aws_durable_execution_sdk as durable;
use durable::builders::wait_for_condition::WaitDecision;
use durable::{BoxError, Branch, DurableContext, InvocationPayload, InvocationResponse};
use durable::serdes::{Serdes, SerdesContext};
use durable::{RetryDecision, StepError, StepSemantics};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

type Answer = Result<Value, BoxError>;

fn pause() -> Duration {
    Duration::from_secs(env::var("PAUSE_SECONDS").unwrap().parse().unwrap())
}

// A strategy: so many retries.
fn retries(count: u32) -> impl Fn(&StepError, u32) -> RetryDecision + Send + Sync {
    move |_, attempt| match attempt <= count {
        true => RetryDecision::Retry { delay: pause() },
        false => RetryDecision::Stop,
    }
}

// Whether this was asked before in this execution, by this process or another.
fn happened_before(arn: &str, what: &str) -> bool {
    let id = arn.rsplit('/').next().unwrap();
    let marker = PathBuf::from(env::var("MARKERS").unwrap()).join(format!("{id}-{what}"));
    let existed = marker.exists();
    fs::write(marker, "").unwrap();
    existed
}

async fn lambda_client() -> durable::LambdaClient {
    durable::LambdaClient::new(&aws_config::load_defaults(BehaviorVersion::latest()).await)
}

async fn step_has_started(arn: &str) {
    let client = lambda_client().await;
    loop {
        let history = client.get_durable_execution_history().durable_execution_arn(arn);
        let history = history.send().await.unwrap();
        if history.events().iter().any(|event| event.step_started_details().is_some()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn die() -> ! {
    process::abort()
}

async fn quick_start(context: DurableContext) -> Answer {
    let one = context.step(|_| async { Ok("1 2".to_owned()) }).name("one").await?;
    context.wait(pause()).name("pause").await?;
    let two = context
        .run_in_child_context(|child| async move {
            let first = child.step(|_| async { Ok("3 4".to_owned()) }).name("two_1").await?;
            let second = child.step(|_| async { Ok("4 3".to_owned()) }).name("two_2").await?;
            Ok(format!("{first} {second}"))
        })
        .name("two")
        .await?;
    let three = context.step(|_| async { Ok("5 6".to_owned()) }).name("three").await?;
    Ok(json!([one, two, three]))
}

async fn retried_step(context: DurableContext) -> Answer {
    let arn = context.execution_arn().to_owned();
    let flaky = context.step(|_| async move {
        match happened_before(&arn, "attempt") {
            false => Err("not yet".into()),
            true => Ok(json!("done")),
        }
    });
    Ok(flaky.name("flaky").retry_strategy(retries(1)).await?)
}

async fn exhausted_step(context: DurableContext) -> Answer {
    let hopeless = context.step(|_| async { Err::<Value, BoxError>("never".into()) });
    Ok(hopeless.name("hopeless").retry_strategy(retries(1)).await?)
}

// Callbacks are answered with a text as it is; by default the SDK reads JSON.
struct Text;

impl Serdes<Value> for Text {
    async fn serialize(&self, value: Value, _: SerdesContext) -> Result<String, BoxError> {
        Ok(value.as_str().unwrap().to_owned())
    }

    async fn deserialize(&self, text: String, _: SerdesContext) -> Result<Value, BoxError> {
        Ok(json!(text))
    }
}

async fn callback(context: DurableContext) -> Answer {
    let waiting = context
        .create_callback::<Value>()
        .name("approval")
        .timeout(Duration::from_secs(3600))
        .heartbeat(Duration::from_secs(600))
        .serdes(Text)
        .await?;
    Ok(waiting.result().await?)
}

async fn wait_for_callback(context: DurableContext) -> Answer {
    let waiting = context
        .wait_for_callback(|_, _| async { Ok(()) })
        .name("approval")
        .timeout(Duration::from_secs(3600))
        .serdes(Text);
    Ok(waiting.await?)
}

async fn wait_for_condition(context: DurableContext) -> Answer {
    let count = context
        .wait_for_condition(|_, state: i64| async move { Ok(state + 1) }, 0)
        .wait_strategy_fn(|state: i64, _| match state < 3 {
            true => WaitDecision::continue_with(pause()),
            false => WaitDecision::complete(),
        })
        .name("count");
    Ok(json!(count.await?))
}

async fn nested_contexts(context: DurableContext) -> Answer {
    let outer = context.run_in_child_context(|child| async move {
        child.step(|_| async { Ok(1) }).name("before").await?;
        let inner = child.run_in_child_context(|grandchild| async move {
            Ok(grandchild.step(|_| async { Ok(json!("deep")) }).name("inside").await?)
        });
        Ok(inner.name("inner").await?)
    });
    Ok(outer.name("outer").await?)
}

async fn map_items(context: DurableContext) -> Answer {
    let doubled = context
        .map([1, 2], |child, item: i64, index| async move {
            let double = child.step(move |_| async move { Ok(2 * item) });
            Ok(double.name(format!("double-{index}")).await?)
        })
        .name("doubled")
        .max_concurrency(1);
    Ok(json!(doubled.await?))
}

async fn parallel_with_wait(context: DurableContext) -> Answer {
    let works = Branch::new("works", |child| async move {
        Ok(child.step(|_| async { Ok("first".to_owned()) }).name("work").await?)
    });
    let waits = Branch::new("waits", |child| async move {
        child.wait(pause()).name("nap").await?;
        Ok("rested".to_owned())
    });
    Ok(json!(context.parallel([works, waits]).name("both").max_concurrency(1).await?))
}

// All branches at once; each waits longer than the one before.
async fn parallel_waits(context: DurableContext) -> Answer {
    let branches = (1..=3).map(|number| {
        Branch::new(format!("branch-{number}"), move |child| async move {
            child.wait(number * pause()).name(format!("wait-{number}")).await?;
            Ok(number)
        })
    });
    Ok(json!(context.parallel(branches).name("all").await?))
}

// A retry falls due while another branch works, in an invocation that begins before.
async fn retry_due_beside_work(context: DurableContext) -> Answer {
    context.wait(pause()).name("before").await?;
    let arn = context.execution_arn().to_owned();
    let retries = Branch::new("retries", |child| async move {
        let flaky = child.step(|_| async move {
            match happened_before(&arn, "attempt") {
                false => Err("not yet".into()),
                true => Ok("retried".to_owned()),
            }
        });
        let delay = Duration::from_secs(2);
        Ok(flaky.name("flaky").retry_strategy(move |_, _| RetryDecision::Retry { delay }).await?)
    });
    let works = Branch::new("works", |child| async move {
        child.wait(Duration::from_secs(1)).name("nap").await?;
        let work = child.step(|_| async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok("worked".to_owned())
        });
        Ok(work.name("work").await?)
    });
    Ok(json!(context.parallel([retries, works]).name("both").await?))
}

async fn invoke(context: DurableContext, function: &str, event: Value) -> Answer {
    Ok(context.invoke::<Value, _>(function, event).name("call").await?)
}

async fn child(event: Value, context: DurableContext) -> Answer {
    context.wait(pause()).name("think").await?;
    Ok(json!(event["n"].as_i64().unwrap() + 1))
}

// Over what the SDK keeps of a child context: its children are run again on replay.
async fn large_context(context: DurableContext) -> Answer {
    let large = context.run_in_child_context(|child| async move {
        let mut parts = vec![];
        for number in 0..2 {
            let part = child.step(|_| async { Ok("x".repeat(200_000)) });
            parts.push(part.name(format!("part-{number}")).await?);
        }
        Ok(parts)
    });
    let parts = large.name("large").await?;
    context.wait(pause()).name("pause").await?;
    Ok(json!(parts.iter().map(String::len).collect::<Vec<_>>()))
}

// Over what a Lambda function may answer: the SDK checkpoints it.
fn large_result(event: Value) -> Answer {
    Ok(json!("y".repeat(event["bytes"].as_u64().unwrap() as usize)))
}

// The process dies in an at-least-once step, once the service knows that it has started.
async fn killed_step(context: DurableContext) -> Answer {
    let arn = context.execution_arn().to_owned();
    let deadly = context.step(|_| async move {
        if !happened_before(&arn, "death") {
            step_has_started(&arn).await;
            die();
        }
        Ok(json!("survived"))
    });
    Ok(deadly.name("deadly").await?)
}

async fn killed_at_most_once(context: DurableContext) -> Answer {
    let arn = context.execution_arn().to_owned();
    let deadly = context.step(|_| async move {
        if !happened_before(&arn, "death") {
            die();
        }
        Ok(json!("survived"))
    });
    let deadly = deadly.name("deadly").semantics(StepSemantics::AtMostOncePerRetry);
    Ok(deadly.retry_strategy(retries(1)).await?)
}

// The first invocation is longer than the function's timeout.
async fn hangs_once(context: DurableContext) -> Answer {
    let arn = context.execution_arn().to_owned();
    let lazy = context.step(|_| async move {
        if !happened_before(&arn, "hang") {
            step_has_started(&arn).await;
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
        Ok(json!("woke up"))
    });
    Ok(lazy.name("lazy").await?)
}

async fn stale_token(context: DurableContext) -> Answer {
    Ok(context.step(|_| async { Ok(json!("recovered")) }).name("after").await?)
}

async fn run(event: Value, context: DurableContext) -> Answer {
    match event["run"].as_str().unwrap() {
        "quick_start" => quick_start(context).await,
        "retried_step" => retried_step(context).await,
        "exhausted_step" => exhausted_step(context).await,
        "callback" => callback(context).await,
        "wait_for_callback" => wait_for_callback(context).await,
        "wait_for_condition" => wait_for_condition(context).await,
        "nested_contexts" => nested_contexts(context).await,
        "map_items" => map_items(context).await,
        "parallel_with_wait" => parallel_with_wait(context).await,
        "parallel_waits" => parallel_waits(context).await,
        "retry_due_beside_work" => retry_due_beside_work(context).await,
        "invoke_durable" => invoke(context, "hasty:$LATEST", json!({"run": "child", "n": 1})).await,
        "invoke_plain" => invoke(context, "plain", json!({"n": 1})).await,
        "invoke_failing" => invoke(context, "plain", json!({"fail": "no"})).await,
        "child" => child(event, context).await,
        "large_context" => large_context(context).await,
        "large_result" => large_result(event),
        "killed_step" => killed_step(context).await,
        "killed_at_most_once" => killed_at_most_once(context).await,
        "hangs_once" => hangs_once(context).await,
        "stale_token" => stale_token(context).await,
        other => Err(format!("no function {other}").into()),
    }
}

// Somebody else uses up the checkpoint token; the SDK has to fail the invocation only.
async fn use_up_token_once(input: &Value) {
    let arn = input["DurableExecutionArn"].as_str().unwrap();
    if happened_before(arn, "theft") {
        return;
    }
    let checkpoint = lambda_client().await.checkpoint_durable_execution();
    let token = input["CheckpointToken"].as_str().unwrap();
    checkpoint.durable_execution_arn(arn).checkpoint_token(token).send().await.unwrap();
}

async fn durable_function<F, Fut>(
    service: &F,
    invocation: LambdaEvent<Value>,
) -> Result<InvocationResponse, BoxError>
where
    F: Fn(LambdaEvent<InvocationPayload>) -> Fut,
    Fut: Future<Output = Result<InvocationResponse, BoxError>>,
{
    let (input, context) = invocation.into_parts();
    let event = &input["InitialExecutionState"]["Operations"][0]["ExecutionDetails"]["InputPayload"];
    if event.as_str().unwrap().contains("stale_token") {
        use_up_token_once(&input).await;
    }
    service(LambdaEvent::new(serde_json::from_value(input)?, context)).await
}

async fn plain(invocation: LambdaEvent<Value>) -> Answer {
    match invocation.payload["fail"].as_str() {
        Some(text) => Err(text.into()),
        None => Ok(json!({"n": invocation.payload["n"].as_i64().unwrap() + 1})),
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    if env::args().nth(1).as_deref() == Some("plain") {
        return lambda_runtime::run(service_fn(plain)).await;
    }
    let service = durable::wrap(run, durable::Options::default());
    lambda_runtime::run(service_fn(|invocation| durable_function(&service, invocation))).await
}
