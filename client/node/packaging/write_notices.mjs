// Prints the licenses of what esbuild has put into the package: write_notices.mjs METAFILE
import fs from 'node:fs';

const {inputs} = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const packages = new Set(
  Object.keys(inputs).flatMap((file) => {
    const match = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file);
    return match === null ? [] : [match[0]];
  }),
);
if (packages.size === 0) throw new Error('No package is in the metafile.');

for (const folder of [...packages].sort()) {
  const {name, version, license} = JSON.parse(fs.readFileSync(`${folder}package.json`, 'utf8'));
  console.log(`${'='.repeat(80)}\n${name} ${version} (${license})\n`);
  const file = fs.readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file !== undefined) console.log(fs.readFileSync(folder + file, 'utf8'));
}
