// Not durable, and an ES module.
export async function handler(event) {
  if (event.fail) throw new RangeError(event.fail);
  return {n: event.n + 1};
}

// What the runtime gives a function besides the event.
export async function describe(_, context) {
  return {...context, isInTime: context.getRemainingTimeInMillis() > 0};
}
