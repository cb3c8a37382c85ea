// A Lambda runtime for Node.js, no more than the tests need. AWS's own, aws-lambda-ric, has parts
// in C++ that npm compiles when it installs them.
//
//   rehearse run --function=orders -- node runtime.mjs app.handler
//
// `app.mjs` or `app.js` in the working directory is an ES module or a CommonJS module that exports
// the asynchronous function `handler(event, context)`.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {pathToFileURL} from 'node:url';

const API = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;

// The answer may take as long as it wants: the next invocation does.
async function call(method, resource, body = '', headers = {}) {
  const response = await new Promise((resolve, reject) => {
    http.request(`${API}${resource}`, {method, headers}, resolve).on('error', reject).end(body);
  });
  const chunks = await response.toArray();
  return {headers: response.headers, text: Buffer.concat(chunks).toString()};
}

async function report(resource, error) {
  const description = {
    errorType: error?.name ?? 'Error',
    errorMessage: error?.message ?? String(error),
    trace: error?.stack?.split('\n') ?? [],
  };
  await call('POST', resource, JSON.stringify(description), {
    'Lambda-Runtime-Function-Error-Type': description.errorType,
  });
}

async function load(name) {
  const [, stem, member] = name.match(/^(.*)\.([^.]*)$/);
  const candidates = [`${stem}.mjs`, `${stem}.js`].map((file) => path.resolve(file));
  const module = await import(pathToFileURL(candidates.find(fs.existsSync) ?? candidates[1]));
  return module[member] ?? module.default[member];
}

function contextOf(headers) {
  return {
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    getRemainingTimeInMillis: () => Number(headers['lambda-runtime-deadline-ms']) - Date.now(),
  };
}

async function serve(handler) {
  const {headers, text} = await call('GET', '/invocation/next');
  const context = contextOf(headers);
  const resource = `/invocation/${context.awsRequestId}`;
  try {
    const answer = await handler(JSON.parse(text), context);
    await call('POST', `${resource}/response`, JSON.stringify(answer) ?? 'null');
  } catch (error) {
    await report(`${resource}/error`, error);
  }
}

let handler;
try {
  handler = await load(process.argv[2]);
} catch (error) {
  await report('/init/error', error);
  process.exit(1);
}
for (;;) await serve(handler);
