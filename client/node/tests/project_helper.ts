// Runs a test framework in a project of its own, beside that of the test.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export interface Project {
  framework: string;
  // Of the framework's program, in its package.
  name: string;
  files: Record<string, string>;
  options: string[];
  env?: Record<string, string>;
}

export function runProject({framework, name, files, options, env}: Project) {
  const here = process.cwd();
  const folder = fs.mkdtempSync(path.join(here, 'project-'));
  fs.symlinkSync(path.join(here, 'node_modules'), path.join(folder, 'node_modules'));
  for (const [file, content] of Object.entries(files))
    fs.writeFileSync(path.join(folder, file), content);
  const program = path.join(here, 'node_modules', framework, name);
  const {FORCE_COLOR, ...inherited} = process.env;
  const {stdout, stderr, status} = childProcess.spawnSync(process.execPath, [program, ...options], {
    cwd: folder,
    env: {...inherited, NO_COLOR: '1', ...env},
    encoding: 'utf8',
  });
  return {status, output: stdout + stderr};
}
