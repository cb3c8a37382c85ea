// What test frameworks add to a failed test: what its runs wait for, and their histories.
//
//   const before = runsIn(globalThis);
//   ...                                            // the test
//   message += await describeRunsSince(globalThis, before);

/** What a runner tells of itself. */
export interface DescribedRunner {
  latestRun(): string | undefined;
  describe(): Promise<string>;
}

// The runners of a realm are known by a global, since a framework's own code is in another realm.
const KEY = Symbol.for('rehearse.runners');

type Realm = {[KEY]?: Set<DescribedRunner>};

export const runnersOf = (realm: object): Set<DescribedRunner> => ((realm as Realm)[KEY] ??= new Set());

export const runsIn = (realm: object): Set<string | undefined> =>
  new Set([...runnersOf(realm)].map((runner) => runner.latestRun()));

/** Of the runners that have started a run; empty if none has. */
export async function describeRunsSince(realm: object, before: Set<string | undefined>) {
  const started = [...runnersOf(realm)].filter((runner) => !before.has(runner.latestRun()));
  const texts = await Promise.all(started.map((runner) => runner.describe().catch(String)));
  return texts.map((text) => `\n\n${text.trimEnd()}`).join('');
}

/** Adds `text` to what is shown of `error`, above the stack. */
export function addToError(error: {message?: string; stack?: string}, text: string) {
  const {message = '', stack} = error;
  const frames = stack?.search(/\n\s+at /) ?? -1;
  error.message = message + text;
  if (stack !== undefined)
    error.stack = frames < 0 ? stack + text : stack.slice(0, frames) + text + stack.slice(frames);
}
