// The import table of docs/architecture.md, row by row. `deploy/check.ts` runs it; test/unit/deploy/import-zones.test.ts plants
// one forbidden import for each rule and sees it refused.
const ours = '^(src|connectors|deploy|test)/';

/** Zones that know the contracts and themselves. */
const leaves = '^src/(config|avro|kafka|checkpoint|observability)/';

export default {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Files that need each other, be it only for a type, are one file.',
      severity: 'error',
      from: { pathNot: '^src/core/' },
      to: { circular: true },
    },
    {
      name: 'no-cycle-in-core',
      comment: 'Contracts may name each other as types (a batch has table versions, a table version reads batches).',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'core-knows-only-core',
      comment: 'Contracts and value objects: no third-party code, no other zone.',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { pathNot: '^src/core/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'leaf-knows-core-and-itself',
      severity: 'error',
      from: { path: leaves },
      to: { path: ours, pathNot: '^src/(core|$1)/' },
    },
    {
      name: 'pipeline-knows-core-and-itself',
      comment: "Avro, Kafka and the stores come in through core's interfaces.",
      severity: 'error',
      from: { path: '^src/pipeline/' },
      to: { path: ours, pathNot: '^src/(core|pipeline)/' },
    },
    {
      name: 'supervisor-and-admin-know-core-and-themselves',
      severity: 'error',
      from: { path: '^src/(supervisor|admin)/' },
      to: { path: ours, pathNot: '^src/(core|pipeline|$1)/' },
    },
    {
      name: 'page-runs-in-a-browser',
      comment: 'It is served file by file from its folder, where nothing else is.',
      severity: 'error',
      from: { path: '^src/admin/page/' },
      to: { pathNot: '^src/admin/page/' },
    },
    {
      name: 'supervisor-and-admin-know-only-types-of-pipeline',
      severity: 'error',
      from: { path: '^src/(supervisor|admin)/' },
      to: { path: '^src/pipeline/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'verify-knows-core-avro-and-itself',
      comment: 'What the pipeline publishes, and how Kafka is read, come in from the composition root.',
      severity: 'error',
      from: { path: '^src/verify/' },
      to: { path: ours, pathNot: '^src/(core|avro|verify)/' },
    },
    {
      name: 'only-the-registry-knows-connectors',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/connector-registry\\.ts$' },
      to: { path: '^connectors/' },
    },
    {
      name: 'registry-imports-a-connector-when-it-is-used',
      comment: 'Dynamic import of connectors/<db>/index.ts, so that a database that is not configured is not loaded.',
      severity: 'error',
      from: { path: '^src/connector-registry\\.ts$' },
      to: { path: '^connectors/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'registry-imports-a-connector-by-its-index',
      severity: 'error',
      from: { path: '^src/connector-registry\\.ts$' },
      to: { path: '^connectors/', pathNot: '^connectors/[^/]+/index\\.ts$' },
    },
    {
      name: 'connector-knows-core-and-itself',
      severity: 'error',
      from: { path: '^connectors/([^/]+)/' },
      to: { path: ours, pathNot: ['^src/core/', '^connectors/$1/'] },
    },
    {
      name: 'protocol-knows-only-protocol',
      comment: 'Bytes to typed messages without I/O: recorded bytes are enough to test it.',
      severity: 'error',
      from: { path: '^connectors/([^/]+)/protocol/' },
      to: { pathNot: '^connectors/$1/protocol/' },
    },
    {
      name: 'product-knows-no-tool',
      comment: 'What is published must not need deploy/, test/ or a devDependency.',
      severity: 'error',
      from: { path: '^(src|connectors)/' },
      to: { path: '^(deploy|test)/' },
    },
    {
      name: 'product-needs-no-dev-dependency',
      severity: 'error',
      from: { path: '^(src|connectors)/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: '^node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
