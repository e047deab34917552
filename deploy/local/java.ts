import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Report, withHeartbeat } from './report.ts';
import { findProgram, runCommand } from './run-command.ts';

const LEAST_JAVA = 17;
const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';

/** Path of a `java` that runs Kafka. On Debian as root it is installed, elsewhere the error says how. */
export async function findJava(report: Report, signal: AbortSignal): Promise<string> {
  const java = await ensureProgram('java', 'default-jre-headless', report, signal);
  const version = await runCommand('sh', ['-c', '"$0" -version 2>&1', java], { timeoutMs: 30_000, signal });
  const major = Number(/version "(\d+)/.exec(version)?.[1]);
  if (!(major >= LEAST_JAVA)) {
    throw new Error(`${java} is Java ${major}, and Kafka needs ${LEAST_JAVA} or newer: put one first on the PATH`);
  }
  return java;
}

/** Puts jars of Maven Central and what they need at run time into `directory`. */
export async function copyJars(
  dependencies: readonly string[],
  directory: string,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const pom = join(directory, 'pom.xml');
  await writeFile(pom, pomOf(dependencies));
  const goal = `${DEPENDENCY_PLUGIN}:copy-dependencies`;
  await maven(
    ['-f', pom, goal, `-DoutputDirectory=${join(directory, 'libs')}`, '-DincludeScope=runtime'],
    report,
    signal,
  );
}

/** Puts one artifact (`group:name:version[:type[:classifier]]`) into `directory`. */
export async function copyArtifact(
  artifact: string,
  directory: string,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  await maven(
    [`${DEPENDENCY_PLUGIN}:copy`, `-Dartifact=${artifact}`, `-DoutputDirectory=${directory}`],
    report,
    signal,
  );
}

/** Unpacks one jar of Maven Central, without what it depends on, into `directory`. */
export async function unpackJar(
  dependency: string,
  directory: string,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  // The plugin notes what it unpacked in the project's directory.
  const pom = join(directory, 'pom.xml');
  await writeFile(pom, pomOf([dependency]));
  const goal = `${DEPENDENCY_PLUGIN}:unpack-dependencies`;
  await maven(['-f', pom, goal, `-DoutputDirectory=${directory}`, '-DexcludeTransitive=true'], report, signal);
}

let lastRun: Promise<unknown> = Promise.resolve();

/** One Maven at a time: two must not write the same local repository. */
function maven(args: readonly string[], report: Report, signal: AbortSignal): Promise<void> {
  const run = async () => {
    const mvn = await ensureProgram('mvn', 'maven', report, signal);
    await runCommand(mvn, ['-B', '-q', '-ntp', ...args], { timeoutMs: 900_000, signal, cwd: '/' });
  };
  const result = lastRun.then(run, run);
  lastRun = result;
  return result;
}

const installing = new Map<string, Promise<string>>();

function ensureProgram(name: string, debianPackage: string, report: Report, signal: AbortSignal): Promise<string> {
  let found = installing.get(name);
  if (found === undefined) {
    found = findOrInstall(name, debianPackage, report, signal);
    installing.set(name, found);
  }
  return found;
}

async function findOrInstall(
  name: string,
  debianPackage: string,
  report: Report,
  signal: AbortSignal,
): Promise<string> {
  const found = await findProgram(name);
  if (found !== null) return found;
  const canInstall = process.getuid?.() === 0 && (await findProgram('apt-get')) !== null;
  if (!canInstall) {
    throw new Error(
      `the local Kafka and schema registry need ${name}, which is not on the PATH. Install it ` +
        `(Debian, Ubuntu: sudo apt-get install ${debianPackage}; Fedora: sudo dnf install java-latest-openjdk-headless maven; ` +
        'macOS: brew install openjdk maven), or point TEST_KAFKA_BROKERS and TEST_REGISTRY_URL at running ones',
    );
  }
  report(`installing ${debianPackage} with apt-get, because there is no ${name}`);
  // Both at once: whoever lacks one usually lacks the other, and apt's lock serves one at a time.
  const limits = { timeoutMs: 900_000, signal, env: { DEBIAN_FRONTEND: 'noninteractive' } };
  const apt = ['-o', 'DPkg::Lock::Timeout=300', '-q', '-y'];
  await withHeartbeat(report, `installing ${debianPackage}`, async () => {
    await runCommand('apt-get', [...apt, 'update'], limits);
    await runCommand('apt-get', [...apt, 'install', '--no-install-recommends', debianPackage], limits);
  });
  const installed = await findProgram(name);
  if (installed === null) throw new Error(`apt-get installed ${debianPackage}, but there is no ${name} on the PATH`);
  return installed;
}

function pomOf(dependencies: readonly string[]): string {
  const entries = dependencies.map((dependency) => {
    const [group, artifact, version] = dependency.split(':');
    return `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tailrace</groupId><artifactId>local-stack</artifactId><version>1</version>
  <dependencies>
${entries.join('\n')}
  </dependencies>
</project>
`;
}
