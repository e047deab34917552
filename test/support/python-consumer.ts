import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached } from '../../deploy/local/cache.ts';
import { reportToStderr, withHeartbeat } from '../../deploy/local/report.ts';
import { findProgram, runCommand } from '../../deploy/local/run-command.ts';
import { kafkaBrokers, registryUrl } from './services.ts';

/** librdkafka and an Avro reader in C: they share no line with us, with kafkajs, or with avsc. */
const PACKAGES = ['confluent-kafka==2.16.1', 'fastavro==1.13.1'];
const SCRIPT = fileURLToPath(new URL('read_topics.py', import.meta.url));

export interface PythonRecord {
  readonly topic: string;
  readonly key: Readonly<Record<string, unknown>> | null;
  /** All of it as Python wrote it: JavaScript would round its numbers. */
  readonly json: string;
  readonly value: { readonly op: string; readonly after: Readonly<Record<string, unknown>> | null } | null;
}

/** Reads whole topics with Python. Its packages are installed once, into the cache. */
export async function readWithPython(topics: readonly string[]): Promise<PythonRecord[]> {
  const environment = await pythonEnvironment();
  const args = [SCRIPT, kafkaBrokers().join(','), registryUrl(), ...topics];
  const output = await runCommand(join(environment, 'bin', 'python'), args, { timeoutMs: 60_000 });
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((json) => ({ ...JSON.parse(json), json }) as PythonRecord);
}

async function pythonEnvironment(): Promise<string> {
  const version = await findPython();
  const name = ['python', version, ...PACKAGES.map((each) => each.replace('==', '-'))].join('-');
  return cached(
    name,
    `installing ${PACKAGES.join(' and ')} for the independent consumer`,
    reportToStderr,
    async (draft) => {
      await runCommand('python3', ['-m', 'venv', draft], { timeoutMs: 120_000 });
      const pip = [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '--only-binary',
        ':all:',
        ...PACKAGES,
      ];
      await runCommand(join(draft, 'bin', 'python'), pip, { timeoutMs: 600_000 });
    },
  );
}

/** Version of a Python that can make virtual environments; on Debian as root it is installed. */
async function findPython(): Promise<string> {
  const found = await pythonVersion();
  if (found !== null) return found;
  if (process.getuid?.() !== 0 || (await findProgram('apt-get')) === null) {
    throw new Error(
      'the independent consumer needs Python 3 with venv (Debian, Ubuntu: sudo apt-get install python3-venv; ' +
        'Fedora: sudo dnf install python3; macOS: brew install python)',
    );
  }
  reportToStderr('installing python3-venv with apt-get, because there is no Python with venv');
  const limits = { timeoutMs: 600_000, env: { DEBIAN_FRONTEND: 'noninteractive' } };
  const apt = ['-o', 'DPkg::Lock::Timeout=300', '-q', '-y'];
  await withHeartbeat(reportToStderr, 'installing python3-venv', async () => {
    await runCommand('apt-get', [...apt, 'update'], limits);
    await runCommand('apt-get', [...apt, 'install', '--no-install-recommends', 'python3-venv'], limits);
  });
  const installed = await pythonVersion();
  if (installed === null) throw new Error('apt-get installed python3-venv, but python3 still cannot import venv');
  return installed;
}

async function pythonVersion(): Promise<string | null> {
  if ((await findProgram('python3')) === null) return null;
  // Debian splits `ensurepip` off, without which `venv` makes nothing.
  const look =
    'import sys, importlib.util as u; print("%d.%d" % sys.version_info[:2] if u.find_spec("ensurepip") else "")';
  const version = (await runCommand('python3', ['-c', look], { timeoutMs: 90_000 })).trim();
  return version === '' ? null : version;
}
