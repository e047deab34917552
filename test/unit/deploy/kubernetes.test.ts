import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { CHECKOUT } from '../../../deploy/local/checkout.ts';

// biome-ignore lint/suspicious/noExplicitAny: manifests, whose form Kubernetes says
type Manifest = any;

const FOLDER = join(CHECKOUT, 'deploy', 'kubernetes');
const read = (name: string): Manifest => parse(readFileSync(join(FOLDER, name), 'utf8'));
const deployment = read('deployment.yaml');
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const configuration: string = read('configmap.yaml').data['tailrace.yaml'];
const { version } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8'));

test('the kustomization has every manifest, or says why not, and the version of the package', () => {
  const text = readFileSync(join(FOLDER, 'kustomization.yaml'), 'utf8');
  const files = readdirSync(FOLDER).filter((name) => name !== 'kustomization.yaml');
  const named = [...text.matchAll(/^ {2}(?:# )?- (\S+\.yaml)$/gm)].map(([, name]) => name!);
  assert.deepEqual(named.sort(), files.sort());
  const { resources, images } = read('kustomization.yaml');
  assert.deepEqual(
    files.filter((name) => !resources.includes(name)),
    ['pod-monitor.yaml'],
  );
  assert.deepEqual(images, [{ name: container.image, newName: 'tailrace', newTag: version }]);
});

test('manifests select the pods of the deployment, and what they name is there', () => {
  const labels = deployment.spec.template.metadata.labels;
  assert.deepEqual(deployment.spec.selector.matchLabels, labels);
  assert.deepEqual(read('service.yaml').spec.selector, labels);
  assert.deepEqual(read('network-policy.yaml').spec.podSelector.matchLabels, labels);
  assert.deepEqual(read('pod-monitor.yaml').spec.selector.matchLabels, labels);
  const port = container.ports[0];
  assert.equal(parse(configuration).http.port, port.containerPort);
  assert.equal(read('service.yaml').spec.ports[0].targetPort, port.name);
  assert.equal(read('pod-monitor.yaml').spec.podMetricsEndpoints[0].port, port.name);
  assert.equal(read('network-policy.yaml').spec.ingress[0].ports[0].port, port.containerPort);
  const annotations = deployment.spec.template.metadata.annotations;
  assert.equal(annotations['prometheus.io/port'], String(port.containerPort));
  const volumes = pod.volumes.map(({ name }: Manifest) => name);
  assert.deepEqual(container.volumeMounts.map(({ name }: Manifest) => name).sort(), volumes.sort());
  assert.equal(pod.volumes[0].configMap.name, read('configmap.yaml').metadata.name);
  assert.ok(container.args.includes(`${container.volumeMounts[0].mountPath}/tailrace.yaml`));
});

test('there is one pod, replaced before its successor starts, with time to stop', () => {
  assert.equal(deployment.spec.replicas, 1);
  assert.equal(deployment.spec.strategy.type, 'Recreate');
  const daemon = readFileSync(join(CHECKOUT, 'src', 'app', 'run-daemon.ts'), 'utf8');
  const stopMs = Number(/STOP_DEADLINE_MS = ([\d_]+)/.exec(daemon)?.[1]?.replaceAll('_', ''));
  assert.ok(pod.terminationGracePeriodSeconds * 1000 >= stopMs + 5_000);
});

test('the pod may do nothing but its work', () => {
  assert.equal(pod.automountServiceAccountToken, false);
  assert.equal(pod.securityContext.runAsNonRoot, true);
  assert.ok(pod.securityContext.runAsUser > 0);
  assert.deepEqual(pod.securityContext.seccompProfile, { type: 'RuntimeDefault' });
  assert.deepEqual(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  assert.equal(pod.volumes.find(({ name }: Manifest) => name === 'secrets').secret.defaultMode, 0o440);
});
