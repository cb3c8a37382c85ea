// The service that a process uses: a running one, or the bundled program, which is started once and
// ends with the process, even when that is killed.
//
//   const {grpc} = await serverAddresses();         // REHEARSE_SERVER, or a server of our own
import childProcess = require('node:child_process');
import fs = require('node:fs');
import os = require('node:os');
import path = require('node:path');
import {processWide} from './process_wide';

export interface ServerAddresses {
  /** HOST:PORT. */
  grpc: string;
  /** HOST:PORT of the AWS API; of a server that was not started here, unknown. */
  http?: string;
}

const MAX_LOG_LENGTH = 4096;

function program(): string {
  const chosen = process.env['REHEARSE_BINARY'];
  if (chosen) return chosen;
  const bundled = path.join(__dirname, '..', 'bin', 'rehearse');
  if (fs.existsSync(bundled)) return bundled;
  throw new Error(
    `There is no program ${bundled}: this package was installed without it. Set REHEARSE_SERVER to ` +
      'the HOST:PORT of a running service, or REHEARSE_BINARY to the path of the program rehearse.',
  );
}

// Resolves with the content of `file` once it is there. It appears as a whole.
function fileContent(file: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const look = () => {
      if (signal.aborted || !fs.existsSync(file)) return;
      watcher.close();
      resolve(fs.readFileSync(file, 'utf8'));
    };
    const watcher = fs.watch(path.dirname(file), look);
    signal.addEventListener('abort', () => watcher.close());
    look();
  });
}

/** Starts a service of this process: on free ports, until this process ends. */
export async function startServer(): Promise<ServerAddresses> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rehearse-'));
  const readyFile = path.join(folder, 'ready.json');
  const server = childProcess.spawn(
    program(),
    [
      'up',
      '--grpc-address=127.0.0.1:0',
      `--ready-file=${readyFile}`,
      '--exit-with-stdin',
      '--log-level=error',
    ],
    // A process group of its own: Ctrl-C is for the tests, which may want to use it until their end.
    {stdio: ['pipe', 'ignore', 'pipe'], detached: true},
  );
  let log = '';
  server.stderr.on('data', (text) => {
    log = (log + text).slice(-MAX_LOG_LENGTH);
    process.stderr.write(text);
  });
  const given = new AbortController();
  try {
    const ended = new Promise<never>((_, reject) => {
      server.once('error', reject);
      server.once('exit', (code, signal) =>
        reject(new Error(`rehearse has ended, with ${signal ?? `status ${code}`}: ${log.trim()}`)),
      );
    });
    return JSON.parse(await Promise.race([fileContent(readyFile, given.signal), ended]));
  } finally {
    given.abort();
    fs.rmSync(folder, {recursive: true, force: true});
    // It lives as long as its standard input, which keeps nobody alive.
    server.unref();
    for (const pipe of [server.stdin, server.stderr]) (pipe as unknown as {unref(): void}).unref();
  }
}

/** `server`, else REHEARSE_SERVER, else the server that this process starts when it is first asked. */
export async function serverAddresses(server?: string): Promise<ServerAddresses> {
  const running = server ?? process.env['REHEARSE_SERVER'];
  if (running) return {grpc: running};
  const shared = processWide();
  if (shared.server === undefined) {
    shared.server = startServer();
    shared.server.catch(() => (shared.server = undefined));
  }
  return shared.server;
}
