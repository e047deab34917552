import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { CHECKOUT } from '../../../deploy/local/checkout.ts';

/** Path → imports. Each file exports `x`. The forbidden ones stand with the rule that must refuse them. */
const ALLOWED: Readonly<Record<string, string>> = {
  'src/core/clock.ts': "import type { X as Y } from './table.ts';",
  'src/core/table.ts': "import type { X } from './clock.ts';",
  'src/avro/writer.ts': "import { x } from '../core/clock.ts';\nimport { createHash } from 'node:crypto';",
  'src/kafka/producer.ts': "import { x } from '../core/clock.ts';",
  'src/verify/table.ts': "import { x } from '../core/clock.ts';\nimport { x as y } from '../avro/writer.ts';",
  'src/pipeline/pipeline.ts': "import { x } from '../core/clock.ts';",
  'src/admin/server.ts': "import { x } from '../core/clock.ts';\nimport type { X } from '../pipeline/pipeline.ts';",
  'src/supervisor/supervisor.ts': "import type { X } from '../pipeline/pipeline.ts';",
  'src/app.ts': "import { x } from './connector-registry.ts';\nimport { x as y } from './kafka/producer.ts';",
  'src/connector-registry.ts': "const load = () => import('../connectors/postgres/index.ts');",
  'connectors/postgres/index.ts':
    "import { x } from '../../src/core/clock.ts';\nimport { x as y } from './protocol/lsn.ts';",
  'connectors/postgres/protocol/lsn.ts': "import { x } from './message.ts';",
  'connectors/postgres/protocol/message.ts': '',
  'connectors/mysql/index.ts': '',
  'deploy/tool.ts': "import { x } from '../src/core/clock.ts';",
};

const FORBIDDEN: readonly (readonly [path: string, imports: string, rule: string])[] = [
  ['src/core/a.ts', "import { x } from '../kafka/producer.ts';", 'core-knows-only-core'],
  ['src/core/b.ts', "import { z } from 'zod';", 'core-knows-only-core'],
  ['src/core/c.ts', "import type { X } from '../pipeline/pipeline.ts';", 'core-knows-only-core'],
  ['src/config/a.ts', "import { x } from '../kafka/producer.ts';", 'leaf-knows-core-and-itself'],
  ['src/avro/a.ts', "import { x } from '../kafka/producer.ts';", 'leaf-knows-core-and-itself'],
  ['src/kafka/a.ts', "import type { X } from '../avro/writer.ts';", 'leaf-knows-core-and-itself'],
  ['src/checkpoint/a.ts', "import { x } from '../kafka/producer.ts';", 'leaf-knows-core-and-itself'],
  ['src/observability/a.ts', "import { x } from '../pipeline/pipeline.ts';", 'leaf-knows-core-and-itself'],
  ['src/pipeline/a.ts', "import { x } from '../kafka/producer.ts';", 'pipeline-knows-core-and-itself'],
  ['src/pipeline/b.ts', "import type { X } from '../avro/writer.ts';", 'pipeline-knows-core-and-itself'],
  ['src/supervisor/a.ts', "import { x } from '../kafka/producer.ts';", 'supervisor-and-admin-know-core-and-themselves'],
  [
    'src/admin/a.ts',
    "import { x } from '../supervisor/supervisor.ts';",
    'supervisor-and-admin-know-core-and-themselves',
  ],
  [
    'src/admin/b.ts',
    "import { x } from '../pipeline/pipeline.ts';",
    'supervisor-and-admin-know-only-types-of-pipeline',
  ],
  ['src/admin/page/a.ts', "import { x } from '../server.ts';", 'page-runs-in-a-browser'],
  ['src/verify/a.ts', "import { x } from '../kafka/producer.ts';", 'verify-knows-core-avro-and-itself'],
  ['src/verify/b.ts', "import type { X } from '../pipeline/pipeline.ts';", 'verify-knows-core-avro-and-itself'],
  ['src/cli/a.ts', "import { x } from '../../connectors/postgres/index.ts';", 'only-the-registry-knows-connectors'],
  ['connectors/mysql/a.ts', "import { x } from '../postgres/index.ts';", 'connector-knows-core-and-itself'],
  ['connectors/mysql/b.ts', "import { x } from '../../src/kafka/producer.ts';", 'connector-knows-core-and-itself'],
  [
    'connectors/postgres/protocol/a.ts',
    "import { x } from '../../../src/core/clock.ts';",
    'protocol-knows-only-protocol',
  ],
  ['connectors/postgres/protocol/b.ts', "import { x } from '../index.ts';", 'protocol-knows-only-protocol'],
  ['connectors/postgres/protocol/c.ts', "import { connect } from 'node:net';", 'protocol-knows-only-protocol'],
  ['src/cli/b.ts', "import { x } from '../../deploy/tool.ts';", 'product-knows-no-tool'],
  ['src/cli/c.ts', "import fc from 'fast-check';", 'product-needs-no-dev-dependency'],
  ['src/cli/d.ts', "import { x } from './absent.ts';", 'no-unresolvable'],
  ['src/kafka/e.ts', "import type { X } from './f.ts';", 'no-cycle'],
  ['src/core/g.ts', "import { x } from './h.ts';", 'no-cycle-in-core'],
];

/** The other ends of the cycles above, which are reported once. */
const COMPANIONS: Readonly<Record<string, string>> = {
  'src/kafka/f.ts': "import { x } from './e.ts';",
  'src/core/h.ts': "import { x } from './g.ts';",
};

/** Replaces the real one, to plant what the registry must not do. */
const EAGER_REGISTRY =
  "import { x } from '../connectors/postgres/index.ts';\nconst load = () => import('../connectors/postgres/protocol/lsn.ts');";

suite('the import table', () => {
  let root = '';

  before(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'tailrace-zones-')));
    await symlink(join(CHECKOUT, 'node_modules'), join(root, 'node_modules'));
    for (const file of ['package.json', 'tsconfig.json', '.dependency-cruiser.mjs']) {
      await symlink(join(CHECKOUT, file), join(root, file));
    }
  });
  after(() => rm(root, { recursive: true }));

  const write = async (path: string, imports: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), `${imports}\nexport const x = 1;\nexport type X = number;\n`);
  };

  test('allows what it says', async () => {
    for (const [path, imports] of Object.entries(ALLOWED)) await write(path, imports);
    assert.deepEqual(await violations(root), []);
  });

  test('refuses everything else', async () => {
    for (const [path, imports] of Object.entries(ALLOWED)) await write(path, imports);
    for (const [path, imports] of Object.entries(COMPANIONS)) await write(path, imports);
    for (const [path, imports] of FORBIDDEN) await write(path, imports);
    await write('src/connector-registry.ts', EAGER_REGISTRY);
    const found = new Set(await violations(root));
    const expected = [
      ...FORBIDDEN.map(([path, , rule]) => `${rule}: ${path}`),
      'registry-imports-a-connector-when-it-is-used: src/connector-registry.ts',
      'registry-imports-a-connector-by-its-index: src/connector-registry.ts',
    ];
    assert.deepEqual(
      expected.filter((violation) => !found.has(violation)),
      [],
    );
  });
});

/** `rule: file` of each violation that `npm run check` would report. */
function violations(root: string): Promise<string[]> {
  const script = join(CHECKOUT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const folders = ['src', 'connectors', 'deploy'];
  const args = [script, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', ...folders];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: root, maxBuffer: 64 * 1024 * 1024 }, (_error, stdout, stderr) => {
      // It exits with the number of violations; what matters is whether it answered.
      if (stdout === '') return reject(new Error(stderr));
      const { summary } = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } };
      resolve(summary.violations.map((violation) => `${violation.rule.name}: ${violation.from}`));
    });
  });
}
