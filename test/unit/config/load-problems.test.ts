import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KAFKA, problemsOf, REGISTRY, SOURCE, VALID, withSource } from './parse-text.ts';

/** What is wrong, where, and a piece of what to do. Line null: the file as a whole. */
type Case = readonly [what: string, text: string, path: string, line: number | null, message: RegExp, remedy: RegExp];

const kafka = (lines: string) => `kafka:\n  brokers: a:1\n${lines}${REGISTRY}${SOURCE}`;
const registry = (lines: string) => `${KAFKA}schema_registry:\n${lines}${SOURCE}`;

const TOKEN = `{ name: a, role: read, token_sha256: ${'a0'.repeat(32)} }`;

const CASES: readonly Case[] = [
  ['nothing at all', '', 'sources', null, /required/, /at least one source/],
  ['a list', '[1]', '', 1, /not a configuration/, /sections/],
  ['a text', 'hello', '', 1, /not a configuration/, /sections/],
  ['a tab', 'kafka:\n\tbrokers: a', '', 2, /tab/, /spaces/],
  ['a quote left open', `${VALID}log: { level: "info }\n`, '', null, /missing/, /Close/],
  ['the same section twice', `${VALID}${KAFKA}`, '', 8, /twice/, /Remove one/],
  ['an alias without anchor', `${VALID}log: *x\n`, '', 8, /anchor/, /quotes/],
  ['an unknown tag', `${VALID}log: !x {}\n`, '', 8, /tag/, /quotes/],
  ['an unknown section', `${VALID}logs: {}\n`, 'logs', 8, /not a setting/, /Did you mean log\?/],
  ['no kafka', REGISTRY + SOURCE, 'kafka', 1, /required/, /Add/],
  ['kafka that is text', `kafka: a:9092\n${REGISTRY}${SOURCE}`, 'kafka', 1, /not a section/, /name: value/],
  ['no brokers', `kafka: {}\n${REGISTRY}${SOURCE}`, 'kafka.brokers', 1, /required/, /list/],
  ['empty brokers', `kafka: { brokers: [] }\n${REGISTRY}${SOURCE}`, 'kafka.brokers', 1, /empty/, /list/],
  ['a broker without port', `kafka: { brokers: [a:1, b] }\n${REGISTRY}${SOURCE}`, 'kafka.brokers[1]', 1, /fit/, /9092/],
  ['an unknown setting', kafka('  compresion: zstd\n'), 'kafka.compresion', 3, /not a setting/, /compression\?/],
  ['a far-off setting', kafka('  zookeeper: a\n'), 'kafka.zookeeper', 3, /not a setting/, /Known here: brokers/],
  ['an unknown word', kafka('  compression: zstandard\n'), 'kafka.compression', 3, /not known/, /zstd/],
  ['a size without unit', kafka('  max_in_flight_bytes: 3\n'), 'kafka.max_in_flight_bytes', 3, /no unit/, /MiB/],
  ['a small size', kafka('  max_in_flight_bytes: 1B\n'), 'kafka.max_in_flight_bytes', 3, /fit/, /1MiB/],
  ['a number for a duration', kafka('  request_timeout: 5\n'), 'kafka.request_timeout', 3, /no unit/, /5s/],
  ['an empty value', kafka('  request_timeout:\n'), 'kafka.request_timeout', 3, /empty/, /remove/],
  [
    'timeouts the wrong way round',
    kafka('  request_timeout: 1m\n  delivery_timeout: 30s\n'),
    'kafka.request_timeout',
    3,
    /longer/,
    /shorter/,
  ],
  ['a broken expression', kafka('  topics: [{ match: "(" }]\n'), 'kafka.topics[0].match', 3, /expression/, /Correct/],
  ['no partitions', kafka('  topics: [{ match: a, partitions: 0 }]\n'), 'kafka.topics[0].partitions', 3, /fit/, /1 to/],
  [
    'no replicas',
    kafka('  topics: [{ match: a, replication_factor: 0 }]\n'),
    'kafka.topics[0].replication_factor',
    3,
    /fit/,
    /not 0/,
  ],
  ['an unreadable file', kafka('  tls: { ca_file: no.pem }\n'), 'kafka.tls.ca_file', 3, /ENOENT/, /path/],
  [
    'a key of no certificate',
    kafka('  tls: { key_file: parse-text.ts }\n'),
    'kafka.tls.key_file',
    3,
    /cert_file/,
    /Set/,
  ],
  [
    'SASL without password',
    kafka('  sasl: { mechanism: plain, username: u }\n'),
    'kafka.sasl.password',
    3,
    /plain/,
    /Set/,
  ],
  [
    'SASL with both',
    kafka('  sasl: { mechanism: oauthbearer, token: t, username: u }\n'),
    'kafka.sasl.username',
    3,
    /contradicts/,
    /Remove/,
  ],
  [
    'a password that is a number',
    kafka('  sasl: { mechanism: plain, username: u, password: 12 }\n'),
    'kafka.sasl.password',
    3,
    /text/,
    /quotes/,
  ],
  ['no registry', KAFKA + SOURCE, 'schema_registry', 1, /required/, /Add/],
  ['a registry that is none', registry('  url: localhost:8081\n'), 'schema_registry.url[0]', 3, /fit/, /http:/],
  [
    'a password in the registry URL',
    registry('  url: [http://a, http://u:p@b]\n'),
    'schema_registry.url[1]',
    3,
    /password/,
    /auth/,
  ],
  ['TLS without https', registry('  url: http://a\n  tls: {}\n'), 'schema_registry.tls', 4, /https/, /remove tls/],
  [
    'half a login',
    registry('  url: http://a\n  auth: { username: u }\n'),
    'schema_registry.auth.password',
    4,
    /required/,
    /bearer/,
  ],
  [
    'two logins',
    registry('  url: http://a\n  auth: { bearer: t, username: u }\n'),
    'schema_registry.auth.username',
    4,
    /contradicts/,
    /Remove/,
  ],
  ['a store without folder', `${VALID}checkpoint: { store: file }\n`, 'checkpoint.path', 8, /required/, /folder/],
  ['a folder of another store', `${VALID}checkpoint: { path: a }\n`, 'checkpoint.path', 8, /contradicts/, /Remove/],
  [
    'a topic of another store',
    `${VALID}checkpoint: { store: file, path: a, topic: b }\n`,
    'checkpoint.topic',
    8,
    /contradicts/,
    /Remove/,
  ],
  ['exactly once', `${VALID}delivery: exactly_once\n`, 'delivery', 8, /not built yet/, /at_least_once/],
  ['HTTPS without files', `${VALID}http: { tls: true }\n`, 'http.tls', 8, /not a section/, /name: value/],
  [
    'a token of no role',
    `${VALID}http: { tokens: ${TOKEN.replace('read', 'all')} }\n`,
    'http.tokens[0].role',
    8,
    /known/,
    /operate/,
  ],
  [
    'a token instead of its hash',
    `${VALID}http: { tokens: [{ name: a, role: read, token_sha256: hunter2 }] }\n`,
    'http.tokens[0].token_sha256',
    8,
    /SHA-256/,
    /sha256sum/,
  ],
  [
    'two tokens of one name',
    `${VALID}http: { tokens: [${TOKEN}, ${TOKEN}] }\n`,
    'http.tokens[1].name',
    8,
    /another token/,
    /own/,
  ],
  [
    'a port for everybody',
    `${VALID}http: { host: 0.0.0.0 }\n`,
    'http.host',
    8,
    /no tokens/,
    /http\.tokens.*127\.0\.0\.1/,
  ],
  ['a port beyond ports', `${VALID}http: { port: 65536 }\n`, 'http.port', 8, /fit/, /65535/],
  ['a section without settings', `${VALID}log:\n`, 'log', 8, /not a section/, /remove/],
  ['no source', `${KAFKA}${REGISTRY}sources: []\n`, 'sources', 3, /not a list of sources/, /name/],
  ['a source that is text', `${KAFKA}${REGISTRY}sources: [a]\n`, 'sources[0]', 3, /not a section/, /settings/],
  [
    'an unknown type',
    VALID.replace('type: postgres', 'type: postgrs'),
    'sources[0].type',
    5,
    /not known/,
    /postgres\?/,
  ],
  ['a strange name', VALID.replace('name: shop', 'name: a b'), 'sources[0].name', 4, /fit/, /letters/],
  [
    'a snapshot mode that is none',
    VALID.replace('no_data', 'sometimes'),
    'sources[0].snapshot.mode',
    7,
    /not known/,
    /initial_only/,
  ],
  [
    'small chunks',
    VALID.replace('no_data', 'no_data, chunk_rows: 9'),
    'sources[0].snapshot.chunk_rows',
    7,
    /fit/,
    /100/,
  ],
  [
    'too many readers',
    VALID.replace('no_data', 'no_data, parallelism: 99'),
    'sources[0].snapshot.parallelism',
    7,
    /fit/,
    /16/,
  ],
  [
    'a filter without condition',
    VALID.replace('no_data', 'no_data, where: [{ table: a }]'),
    'sources[0].snapshot.where[0].filter',
    7,
    /required/,
    /condition/,
  ],
  [
    'a misspelt source setting',
    withSource('topics_prefix: a'),
    'sources[0].topics_prefix',
    8,
    /not a setting/,
    /topic_prefix\?/,
  ],
  [
    'a misspelt table list',
    withSource('tables: { includes: [] }'),
    'sources[0].tables.includes',
    8,
    /not a setting/,
    /include\?/,
  ],
  [
    'a broken table pattern',
    withSource('tables: { include: ["a", "["] }'),
    'sources[0].tables.include[1]',
    8,
    /expression/,
    /Correct/,
  ],
  [
    'a mask without text',
    withSource('columns: { mask: [{ match: a }] }'),
    'sources[0].columns.mask[0].with',
    8,
    /required/,
    /text/,
  ],
  [
    'an unknown hash',
    withSource('columns: { hash: [{ match: a, salt: s, algorithm: sha257 }] }'),
    'sources[0].columns.hash[0].algorithm',
    8,
    /not known/,
    /sha256\?/,
  ],
  [
    'a key of no columns',
    withSource('message_key: [{ table: a, columns: [] }]'),
    'sources[0].message_key[0].columns',
    8,
    /empty/,
    /list/,
  ],
  [
    'an operation that is none',
    withSource('skipped_operations: [x]'),
    'sources[0].skipped_operations[0]',
    8,
    /not known/,
    /c, u, d, t/,
  ],
  [
    'a heartbeat of no length',
    withSource('heartbeat: { interval: 0s }'),
    'sources[0].heartbeat.interval',
    8,
    /fit/,
    /100ms/,
  ],
  ['a flag in words', withSource('extended_headers: "on"'), 'sources[0].extended_headers', 8, /true nor false/, /true/],
  ['a misspelt slot setting', withSource('slot: { nam: a }'), 'sources[0].slot.nam', 8, /not a setting/, /name\?/],
  [
    'a slot name that is none',
    withSource('slot: { name: A-B }'),
    'sources[0].slot.name',
    8,
    /lower-case/,
    /configuration\.md/,
  ],
  [
    'a type mode that is none',
    withSource('types: { decimal: exact }'),
    'sources[0].types.decimal',
    8,
    /not known/,
    /precise/,
  ],
  ['a stray % in the URL', VALID.replace('cdc@', 'cdc:50%@'), 'sources[0].url', 6, /%XX/, /%25/],
  ['a # in the URL', VALID.replace('cdc@', 'cdc:a#b@'), 'sources[0].url', 6, /#/, /%23/],
  ['a URL that is none', VALID.replace('//cdc@', 'cdc@'), 'sources[0].url', 6, /not a URL/, /postgres:/],
  ['a host beside a URL', withSource('host: a'), 'sources[0].host', 8, /twice/, /configuration\.md/],
  ['a database password that is a number', withSource('password: 12'), 'sources[0].password', 8, /text/, /quotes/],
  ['a duration of the connector', withSource('status_interval: 5'), 'sources[0].status_interval', 8, /no unit/, /5s/],
  [
    "the connector's own spelling",
    withSource('status_interval_ms: 5000'),
    'sources[0].status_interval_ms',
    8,
    /not a setting/,
    /status_interval\?/,
  ],
  [
    'a setting of another database',
    withSource('server_id: 1'),
    'sources[0].server_id',
    8,
    /not a setting/,
    /Known here/,
  ],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how a configuration names a variable.
  ['a variable that is not set', VALID.replace('cdc@', 'cdc:${PW}@'), 'sources[0].url', 6, /variable PW/, /Set PW/],
  ['Debezium as text', withSource('debezium: a'), 'sources[0].debezium', 8, /not a section/, /properties/],
];

describe('a configuration with one mistake', () => {
  for (const [what, text, path, line, message, remedy] of CASES) {
    it(`${what}: ${path || 'the file'}`, async () => {
      const problems = await problemsOf(text);
      const problem = problems.find((candidate) => candidate.path === path);
      assert.ok(problem, `no problem at ${path} among ${JSON.stringify(problems)}`);
      if (line !== null) assert.equal(problem.line, line);
      assert.match(problem.message, message);
      assert.match(problem.remedy, remedy);
      if (text !== '') assert.equal(problems.length, 1, `more than one problem: ${JSON.stringify(problems)}`);
    });
  }

  it('has none when there is none', async () => assert.deepEqual(await problemsOf(VALID), []));
});

describe('sources that collide', () => {
  const second = (...settings: string[]) =>
    `  - { type: postgres, user: u, database: d, snapshot: { mode: no_data }, ${settings.join(', ')} }\n`;
  const CASES: [what: string, text: string, path: string, message: RegExp][] = [
    ['names', VALID + second('name: shop', 'host: h'), 'sources[1].name', /same name as that of sources\[0\]/],
    [
      'prefixes',
      VALID + second('name: b', 'topic_prefix: shop', 'host: h'),
      'sources[1].topic_prefix',
      /same topic prefix/,
    ],
    [
      'slots',
      withSource('slot: { name: s }') + second('name: b', 'slot: { name: s }', 'host: 127.0.0.1'),
      'sources[1].slot.name',
      /same slot/,
    ],
    [
      'default slots',
      VALID.replace('name: shop', 'name: shop-a') + second('name: shop_a', 'host: 127.0.0.1'),
      'sources[1].name',
      /same slot/,
    ],
  ];
  for (const [what, text, path, message] of CASES) {
    it(`by their ${what}`, async () => {
      const problems = await problemsOf(text);
      assert.equal(problems.length, 1, JSON.stringify(problems));
      assert.equal(problems[0]!.path, path);
      assert.match(problems[0]!.message, message);
    });
  }
  it('not by a slot of the same name on another server', async () => {
    const text = withSource('slot: { name: s }') + second('name: b', 'slot: { name: s }', 'host: h');
    assert.deepEqual(await problemsOf(text), []);
  });
});

it('every problem is named at once, in the order of the file', async () => {
  const text = `kafka: { brokers: a, compression: x }
schema_registry: { url: b, nonsense: 1 }
delivery: exactly_once
http: { port: x }
sources:
  - { name: "a b", type: postgres, url: postgres://u@h/d, slot: { name: A }, snapshot: { mode: sometimes } }
  - { name: c, type: oracle, snapshot: { mode: no_data } }
`;
  const problems = await problemsOf(text);
  assert.deepEqual(
    problems.map(({ path, line }) => [path, line]),
    [
      ['kafka.brokers[0]', 1],
      ['kafka.compression', 1],
      ['schema_registry.url[0]', 2],
      ['schema_registry.nonsense', 2],
      ['delivery', 3],
      ['http.port', 4],
      ['sources[0].name', 6],
      ['sources[0].snapshot.mode', 6],
      ['sources[0].slot.name', 6],
      ['sources[1].type', 7],
    ],
  );
});
