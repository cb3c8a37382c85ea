// Both entry points, in one program: what they share is the same.
export * as root from './index';
export * as testing from './testing/index';
