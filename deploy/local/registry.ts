import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { freePorts } from './free-ports.ts';
import { copyArtifact, findJava } from './java.ts';
import { type ServiceProcess, startProcess, waitUntilReady } from './processes.ts';
import { runCommand } from './run-command.ts';
import type { Service, ServiceContext } from './service.ts';

/** The newest that runs on Java 17. */
const VERSION = '2.6.13.Final';

/** Apicurio Registry, of which tailrace uses the API that is compatible with Confluent's. */
export async function startRegistry(context: ServiceContext): Promise<Service> {
  const { report, signal } = context;
  const java = await findJava(report, signal);
  const app = await cached(
    `apicurio-registry-${VERSION}`,
    `downloading Apicurio Registry ${VERSION} (142 MB)`,
    report,
    (draft) => download(draft, context),
  );
  const jar = (await readdir(app)).find((file) => file.endsWith('-runner.jar'));
  if (jar === undefined) throw new Error(`no *-runner.jar in ${app}: remove that directory and try again`);
  const directory = join(context.runDirectory, 'registry');
  await mkdir(directory);
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  let running: ServiceProcess;
  const start = async () => {
    running = startProcess({
      name: 'registry',
      command: java,
      args: [
        // The first seconds decide here, not the peak.
        ...['-Xmx512m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'],
        ...['-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${port}`],
        // As Confluent's: one id for one schema text, whatever the subject.
        '-Dregistry.ccompat.legacy-id-mode.enabled=false',
        '-Dregistry.ccompat.use-canonical-hash=false',
        ...['-Dquarkus.log.level=WARN', '-Dquarkus.log.console.enable=true'],
        ...['-jar', join(app, jar)],
      ],
      cwd: directory,
      // A file, so that a test can stop the registry and start it again with what it knew.
      env: { REGISTRY_DATASOURCE_URL: `jdbc:h2:file:${join(directory, 'registry')};WRITE_DELAY=0` },
      ...context,
      stopSteps: [{ signal: 'SIGTERM', waitMs: 5_000 }],
    });
    await waitUntilReady(running, () => answers(url), { timeoutMs: 120_000, signal });
  };
  await start();
  return { name: 'registry', url, processes: () => [running], start, stop: () => running.stop() };
}

async function download(draft: string, context: ServiceContext): Promise<void> {
  const archives = join(draft, '.archives');
  const artifact = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`;
  await copyArtifact(artifact, archives, context.report, context.signal);
  const limits = { timeoutMs: 120_000, signal: context.signal };
  for (const file of await readdir(archives)) {
    await runCommand('tar', ['-xzf', join(archives, file), '-C', draft], limits);
  }
  await rm(archives, { recursive: true });
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    // Refused or too slow: not ready yet. The caller has the deadline and, if it ends, the log.
    return false;
  }
}
