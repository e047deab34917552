import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { CHECKOUT } from '../../../deploy/local/checkout.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { connectorRegistry } from '../../../src/connector-registry.ts';

/** What we use of https://github.com/compose-spec/compose-spec/blob/main/spec.md */
interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

const text = (path: string) => readFileSync(join(CHECKOUT, path), 'utf8');
const services: Record<string, ComposeService> = parse(text('docker-compose.yml')).services;
const all = Object.entries(services);
const dockerfile = text('deploy/docker/Dockerfile').split('\n');

/** Keys of a service in the specification that these services may have, and what they are. */
const SHAPE: Readonly<Record<string, (value: unknown) => boolean>> = {
  image: (value) => typeof value === 'string',
  build: (value) => isObject(value) && Object.keys(value).every((key) => ['context', 'dockerfile'].includes(key)),
  command: isTexts,
  environment: (value) => isObject(value) && Object.values(value).every((one) => /string|number/.test(typeof one)),
  ports: isTexts,
  volumes: isTexts,
  tmpfs: isTexts,
  cap_drop: isTexts,
  security_opt: isTexts,
  read_only: (value) => typeof value === 'boolean',
  restart: (value) => value === 'unless-stopped',
  depends_on: (value) =>
    isObject(value) && Object.values(value).every((one) => isObject(one) && one.condition === 'service_healthy'),
  healthcheck: (value) =>
    isObject(value) &&
    isTexts(value.test) &&
    value.test[0] === 'CMD' &&
    Object.keys(value).every((key) => ['test', 'interval', 'timeout', 'retries'].includes(key)) &&
    /^\d+s$/.test(String(value.interval)) &&
    Number.isInteger(value.retries),
};

test('docker-compose.yml has the services of the whole thread, in the form of the specification', () => {
  const names = ['postgres', 'mysql', 'kafka', 'registry', 'tailrace', 'prometheus', 'grafana'];
  assert.deepEqual(Object.keys(services), names);
  for (const [name, service] of all) {
    for (const [key, value] of Object.entries(service)) {
      assert.ok(SHAPE[key]?.(value), `${name}.${key}: ${JSON.stringify(value)}`);
    }
    assert.notEqual(service.image === undefined, service.build === undefined, name);
    if (service.image !== undefined)
      assert.match(service.image, /^[a-z-]+(\/[a-z-]+)?:v?\d[\w.]*$/, 'a version, not latest');
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      assert.equal(condition, 'service_healthy');
      assert.ok(
        services[other]?.healthcheck !== undefined,
        `${name} waits for ${other}, which says when it is healthy`,
      );
    }
  }
});

test('nothing is open to other machines, and no two services want one port', () => {
  const ports = all.flatMap(([, { ports = [] }]) => ports);
  for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
  const published = ports.map((port) => port.split(':')[1]);
  assert.equal(new Set(published).size, published.length);
  const external = text('deploy/local/external-services.ts');
  for (const port of ['15432', '19092', '18081']) {
    assert.ok(published.includes(port));
    assert.ok(external.replaceAll('_', '').includes(port), `tests with TEST_USE_COMPOSE look at ${port}`);
  }
});

test('every file that is mounted exists, and only to be read', () => {
  const mounts = all.flatMap(([, { volumes = [] }]) => volumes);
  assert.ok(mounts.length >= 6);
  for (const mount of mounts) {
    const [from, to, mode] = mount.split(':');
    assert.ok(existsSync(join(CHECKOUT, from!)), from);
    assert.match(to!, /^\//);
    assert.equal(mode, 'ro', mount);
  }
});

test('what is mounted into tailrace is a configuration that it takes, of the services beside it', async () => {
  const mount = services.tailrace?.volumes?.find((volume) => volume.includes('tailrace.yaml'));
  const settings = await loadSettings(join(CHECKOUT, mount!.split(':')[0]!), {}, connectorRegistry);
  const hosts = [
    ...settings.kafka.brokers.map((broker) => broker.split(':')[0]),
    ...settings.schemaRegistry.urls.map((url) => new URL(url).hostname),
    ...parse(text('deploy/config/compose.yaml')).sources.map(({ url }: { url: string }) => new URL(url).hostname),
  ];
  assert.deepEqual(hosts, ['kafka', 'registry', 'postgres', 'mysql']);
  for (const host of hosts) assert.ok(services[host]?.healthcheck !== undefined);
  assert.equal(mount!.split(':')[1], argumentsOf('CMD').at(-1), 'where the image looks for it');
  assert.equal(settings.http.port, Number(services.tailrace?.ports?.[0]?.split(':')[2]));
});

test('Prometheus scrapes the daemon, and Grafana asks Prometheus and finds the dashboard', () => {
  const { scrape_configs: jobs, rule_files: rules } = parse(text('deploy/prometheus/prometheus.yaml'));
  assert.deepEqual(jobs[0].static_configs, [{ targets: ['tailrace:8080'] }]);
  for (const file of rules) assert.ok(existsSync(join(CHECKOUT, 'deploy/prometheus', file)));
  assert.ok(services.prometheus?.command?.includes('--config.file=/etc/prometheus/prometheus.yaml'));

  const provisioning = 'deploy/grafana/provisioning';
  const { datasources } = parse(text(`${provisioning}/datasources/prometheus.yaml`));
  assert.equal(datasources[0].url, 'http://prometheus:9090');
  assert.equal(
    datasources[0].jsonData.timeInterval,
    parse(text('deploy/prometheus/prometheus.yaml')).global.scrape_interval,
  );
  const { providers } = parse(text(`${provisioning}/dashboards/tailrace.yaml`));
  const [, mounted] = services.grafana!.volumes!.find((volume) => volume.includes('dashboard.json'))!.split(':');
  assert.equal(mounted, `${providers[0].options.path}/tailrace.json`);
  assert.equal(services.grafana!.environment!.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH, mounted);
});

test('the Dockerfile copies what there is, and starts the program of the package as another user than root', () => {
  const { bin } = JSON.parse(text('package.json'));
  const ignored = text('.dockerignore')
    .split('\n')
    .filter((line) => line !== '');
  const copies = dockerfile.flatMap((line) => /^COPY (?!--from)(.+)$/.exec(line)?.[1]?.split(' ').slice(0, -1) ?? []);
  assert.ok(copies.length >= 5);
  for (const path of copies) {
    assert.ok(path === '.' || existsSync(join(CHECKOUT, path)), path);
    assert.ok(!ignored.includes(path), `${path} is not left out of the build`);
  }
  // What the build needs of the checkout.
  const needed = ['src', 'connectors', 'deploy', 'tsconfig.json', 'tsconfig.build.json'];
  for (const path of needed) assert.ok(!ignored.includes(path), path);
  assert.deepEqual(argumentsOf('ENTRYPOINT'), ['node', `/app/${bin.tailrace}`]);
  const user = dockerfile.find((line) => line.startsWith('USER '));
  assert.equal(user, 'USER node');
  const bases = dockerfile.flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? []);
  const { engines } = JSON.parse(text('package.json'));
  for (const base of bases) assert.equal(`>=${/^node:(\d+)-/.exec(base)?.[1]}`, engines.node);
});

test('no file of deploy that Docker mounts or builds from is forgotten', () => {
  const mounted = all.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]!.slice(2)));
  for (const file of globSync('deploy/config/compose*', { cwd: CHECKOUT })) assert.ok(mounted.includes(file), file);
});

/** The exec form of an instruction; the last one counts. */
function argumentsOf(instruction: string): string[] {
  const line = dockerfile.findLast((each) => each.startsWith(`${instruction} [`));
  return JSON.parse(line!.slice(instruction.length));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
