// RealmTime: fake timers of the test's realm that tick with the service's jumps.
//
//   const time = RealmTime.install();
//   host.register('orders', time.paced(durableFunction(handler), quiet));
//   time.uninstall();
//
// While an invocation runs, the service's clock stands. A handler that does nothing but wait for a
// timer - its SDK waits in process when another branch keeps the invocation - would hold both up. So
// when timers are all that is left, the service is told that the invocation is idle until the next
// one; its time jumps there, or to something that is due earlier, and the timers tick by as much.
// Real input and output goes on in real time, and the timers advance with it.
//
// `Date` shows the clock of the execution that was heard of last.
import FakeTimers = require('@sinonjs/fake-timers');
import type {HostedFunction, Invocation} from '../function_host';

// How often it is looked whether only timers are left, besides whenever the service has answered.
const LOOK_INTERVAL_MS = 5;

// As what happens outside this realm's timers.
export interface Outside {
  // Calls to the service that it answers soon.
  pendingCalls(): number;
  // Counts what has come from the service.
  reportCount(): number;
  // Whether everything that has happened has been shown to whoever waits for it.
  isCaughtUp(): Promise<boolean>;
}

interface Running {
  invocation: Invocation;
  outside: Outside;
  isIdle: boolean;
  execution: ExecutionTime;
}

// The clock of an execution at a moment of this realm's timers.
interface ExecutionTime {
  nowMs: number;
  ticked: number;
}

type Resources = Map<string, number>;

// What keeps the event loop busy, by kind.
function activeResources(): Resources {
  const counts: Resources = new Map();
  for (const kind of process.getActiveResourcesInfo())
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  // Our own: calls of the service, and looking.
  for (const own of ['Immediate', 'MessagePort', 'TickObject']) counts.delete(own);
  return counts;
}

export class RealmTime {
  private readonly real = {setImmediate, setInterval, clearInterval};
  private readonly clock: FakeTimers.Clock;
  // Milliseconds that the timers have ticked; unlike Date it never goes back.
  private shift = 0;
  private readonly running = new Set<Running>();
  private readonly executions = new Map<string, ExecutionTime>();
  private looker: NodeJS.Timeout | undefined;
  private isLooking = false;
  private atRest: Resources = new Map();

  private constructor() {
    this.clock = FakeTimers.install({
      now: Date.now(),
      shouldAdvanceTime: true,
      shouldClearNativeTimers: true,
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
    });
  }

  // Throws when there are fake timers already.
  static install(): RealmTime {
    return new RealmTime();
  }

  uninstall() {
    this.stopLooking();
    this.clock.uninstall();
  }

  // `hosted`, with the timers of this realm following the time of its executions.
  paced(hosted: HostedFunction, outside: Outside): HostedFunction {
    return {...hosted, run: (invocation) => this.run(hosted, invocation, outside)};
  }

  private async run(hosted: HostedFunction, invocation: Invocation, outside: Outside) {
    if (this.running.size === 0) this.startLooking();
    const arn = invocation.input?.DurableExecutionArn ?? invocation.requestId;
    const running: Running = {
      invocation,
      outside,
      // Until its time is known.
      isIdle: true,
      execution: this.executions.get(arn) ?? {nowMs: Number.NaN, ticked: 0},
    };
    this.executions.set(arn, running.execution);
    this.running.add(running);
    try {
      if (hosted.durable) {
        // Long over, so that it only tells the time.
        this.reach(running.execution, await invocation.idle(new Date(0)));
      }
      running.isIdle = false;
      return await hosted.run(invocation);
    } finally {
      this.running.delete(running);
      if (this.running.size === 0) this.stopLooking();
    }
  }

  private startLooking() {
    this.atRest = activeResources();
    this.looker = this.real.setInterval(() => void this.look(), LOOK_INTERVAL_MS);
    this.looker.unref();
  }

  private stopLooking() {
    this.real.clearInterval(this.looker);
    this.looker = undefined;
  }

  // Moves time on while timers are all that is left.
  private async look() {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      while (await this.isQuiet()) {
        const delay = this.untilNextTimer();
        if (delay === undefined) return;
        await this.advance(delay);
      }
    } finally {
      this.isLooking = false;
    }
  }

  private turn(): Promise<void> {
    return new Promise((resolve) => this.real.setImmediate(resolve));
  }

  private async isQuiet(): Promise<boolean> {
    // What has been answered runs on for a turn of the event loop.
    await this.turn();
    if (!this.isStill()) return false;
    for (const {outside} of this.running) {
      if (!(await outside.isCaughtUp())) return false;
    }
    const before = this.reportCount();
    await this.turn();
    await this.turn();
    return this.isStill() && this.reportCount() === before;
  }

  private isStill(): boolean {
    const running = [...this.running];
    return (
      running.length > 0 &&
      running.every((one) => !one.isIdle && one.invocation.requestCount === 0) &&
      running.every(({outside}) => outside.pendingCalls() === 0) &&
      this.isAtRest()
    );
  }

  // Nothing of the operating system is waited for that was not before.
  private isAtRest(): boolean {
    return [...activeResources()].every(([kind, count]) => count <= (this.atRest.get(kind) ?? 0));
  }

  private reportCount(): number {
    return [...this.running].reduce((sum, {outside}) => sum + outside.reportCount(), 0);
  }

  private untilNextTimer(): number | undefined {
    const moments = [...(this.clock.timers?.values() ?? [])].map(({callAt}) => callAt!);
    return moments.length === 0 ? undefined : Math.max(0, Math.min(...moments) - this.clock.now);
  }

  private get ticked(): number {
    return this.clock.now - this.shift;
  }

  // Lets every execution come as far as the next timer, and fires it.
  private async advance(delay: number) {
    const due = this.ticked + delay;
    const durable = [...this.running].filter(({invocation}) => invocation.input !== undefined);
    // A plain function is never idle to the service: its timers fire without it.
    if (durable.length === this.running.size) {
      await Promise.race(durable.map((running) => this.idle(running, due)));
    }
    // A request has ended the idling: something else than a timer goes on.
    if (durable.some(({invocation}) => invocation.requestCount > 0)) return;
    this.fire(() => this.clock.tick(Math.max(0, due - this.ticked)));
  }

  private async idle(running: Running, due: number) {
    const {execution, invocation} = running;
    running.isIdle = true;
    try {
      // The service's clock is finer than a millisecond: what is due then is due by the next.
      const until = new Date(execution.nowMs + due - execution.ticked + 1);
      this.reach(execution, await invocation.idle(until));
    } catch {
      // The invocation is of no more use; its handler hears of it from its own requests.
    } finally {
      running.isIdle = false;
    }
  }

  // The execution's clock says `now`: timers tick by as much as it has moved.
  private reach(execution: ExecutionTime, now: Date) {
    const moved = now.getTime() - execution.nowMs - (this.ticked - execution.ticked);
    // However far it is, intervals fire once.
    if (moved > 0) this.fire(() => this.clock.jump(moved));
    this.shift += now.getTime() - this.clock.now;
    this.clock.setSystemTime(now);
    execution.nowMs = now.getTime();
    execution.ticked = this.ticked;
  }

  private fire(timers: () => void) {
    try {
      timers();
    } catch (error) {
      // A timer has thrown, which is nobody's here to handle.
      process.nextTick(() => {
        throw error;
      });
    }
  }
}
