// A set-up file for Vitest that shows, with a failed test, what its runs wait for and their histories.
//
//   // vitest.config.ts
//   export default defineConfig({test: {setupFiles: ['rehearse/vitest']}});
import {afterEach, beforeEach} from 'vitest';
import {addToError, describeRunsSince, runsIn} from './failure_report';

let before = new Set<string | undefined>();

beforeEach(() => {
  before = runsIn(globalThis);
});

afterEach(async ({task}) => {
  const errors = task.result?.errors;
  if (errors === undefined || errors.length === 0) return;
  addToError(errors[0]!, await describeRunsSince(globalThis, before));
});
