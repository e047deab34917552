import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CHECKOUT } from './local/checkout.ts';

/**
 * `npm run build [-- <directory in the checkout>]`: compiles `src` and `connectors` to `dist`, which is what is published,
 * or to another directory. There are no declarations: the package is a program, not a library.
 */
const DIST = join(CHECKOUT, process.argv[2] ?? 'dist');
const ENTRY = join(DIST, 'src', 'cli', 'main.js');
/** What the program reads beside its code: the status page and the like. */
const ASSETS = '{src,connectors}/**/*.{html,css,js,svg,json,sql}';

rmSync(DIST, { recursive: true, force: true });
compile();
const assets = globSync(ASSETS, { cwd: CHECKOUT });
for (const asset of assets) {
  mkdirSync(dirname(join(DIST, asset)), { recursive: true });
  copyFileSync(join(CHECKOUT, asset), join(DIST, asset));
}
// `../../package.json` of a source file is also there for the compiled one.
const { name, version, type } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8'));
writeFileSync(join(DIST, 'package.json'), `${JSON.stringify({ name, version, type }, null, 2)}\n`);
if (!readFileSync(ENTRY, 'utf8').startsWith('#!/usr/bin/env node\n')) {
  throw new Error('src/cli/main.ts must start with #!/usr/bin/env node: npm links it as the command `tailrace`');
}
chmodSync(ENTRY, 0o755);
console.log(`dist: ${globSync('**/*.js', { cwd: DIST }).length} modules, ${assets.length} assets`);

function compile(): void {
  const tsc = join(CHECKOUT, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', DIST], {
      cwd: CHECKOUT,
      stdio: 'inherit',
    });
  } catch (error) {
    // tsc has said what is wrong.
    process.exit((error as { status?: number }).status ?? 1);
  }
}
