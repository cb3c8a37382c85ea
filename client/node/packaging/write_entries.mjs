// Writes the entry points of both module systems: write_entries.mjs FOLDER
//
// There is one program, rehearse.js, so that import and require give the same objects.
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';

const folder = path.resolve(process.argv[2]);
const all = createRequire(import.meta.url)(path.join(folder, 'rehearse.js'));

for (const [part, entry] of [['root', 'index'], ['testing', 'testing']]) {
  const names = Object.keys(all[part]).join(', ');
  fs.writeFileSync(
    path.join(folder, `${entry}.js`),
    `module.exports = require('./rehearse.js').${part};\n`,
  );
  fs.writeFileSync(
    path.join(folder, `${entry}.mjs`),
    `import all from './rehearse.js';\nexport const {${names}} = all.${part};\n`,
  );
}
