// A Jest environment that shows, with a failed test, what its runs wait for and their histories.
//
//   // jest.config.js
//   module.exports = {testEnvironment: 'rehearse/jest-environment'};
import {addToError, describeRunsSince, runsIn} from './failure_report';

interface TestEvent {
  name: string;
  error?: unknown;
  // An error is told as [error, where].
  test?: {errors: unknown[]};
}

// Jest's own, of the version that runs.
const {TestEnvironment: NodeEnvironment} = require('jest-environment-node') as {
  TestEnvironment: new (...parameters: unknown[]) => {global: object};
};

class TestEnvironment extends NodeEnvironment {
  private before = new Set<string | undefined>();

  async handleTestEvent({name, error, test}: TestEvent): Promise<void> {
    if (name === 'test_start') this.before = runsIn(this.global);
    if (name !== 'test_fn_failure') return;
    const text = await describeRunsSince(this.global, this.before);
    if (typeof error === 'object' && error !== null) return addToError(error, text);
    // A time-out is a text.
    const told = test?.errors.at(-1);
    if (Array.isArray(told) && typeof told[0] === 'string') told[0] += text;
  }
}

export {TestEnvironment, TestEnvironment as default};
