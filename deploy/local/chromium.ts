import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { debianPackages } from './debian-packages.ts';
import type { Report } from './report.ts';
import { findProgram } from './run-command.ts';

export interface Chromium {
  readonly program: string;
  /** What it needs beside the caller's own environment. */
  readonly environment: Readonly<Record<string, string>>;
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];
const REMEDY = 'Install chromium or google-chrome, or set TEST_CHROMIUM to the path of one.';
/** Text without any font would not be text. */
const PACKAGES = ['chromium', 'fonts-dejavu-core'];

export interface NoChromium {
  /** Why there is none, and what to do about it. */
  readonly missing: string;
}

/**
 * A Chromium for tests: `TEST_CHROMIUM`, one that is installed, or on Debian that of the distribution, unpacked into the
 * cache of downloads.
 * @throws Error where `TEST_CHROMIUM` names nothing.
 */
export async function findChromium(report: Report, signal: AbortSignal): Promise<Chromium | NoChromium> {
  const named = process.env.TEST_CHROMIUM;
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`TEST_CHROMIUM is ${named}, and there is no such file`);
    return { program: named, environment: {} };
  }
  for (const name of NAMES) {
    const program = await findProgram(name);
    if (program !== null) return { program, environment: {} };
  }
  const place = PLACES.find(existsSync);
  if (place !== undefined) return { program: place, environment: {} };
  const suite = await debianSuite();
  if (suite === null) return { missing: `There is no Chromium on the PATH. ${REMEDY}` };
  try {
    return unpacked(await debianPackages(suite, PACKAGES, 'Chromium and what it needs (233 MB)', report, signal));
  } catch (error) {
    if (signal.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { missing: `There is no Chromium on the PATH, and none could be downloaded. ${REMEDY}\n${reason}` };
  }
}

/** Of the machine itself: then its own loader suits the unpacked libraries, and the program can start its children. */
async function debianSuite(): Promise<string | null> {
  if (!existsSync('/etc/os-release') || (await findProgram('apt-get')) === null) return null;
  const release = await readFile('/etc/os-release', 'utf8');
  if (!/^ID=debian$/m.test(release)) return null;
  return /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1] ?? null;
}

function unpacked(tree: string): Chromium {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const folders = ['usr/lib', 'lib'].map((folder) => join(tree, folder, `${machine}-linux-gnu`));
  // libpulse looks for a part of itself below the root of the system.
  const libraries = [...folders, join(folders[0]!, 'pulseaudio')];
  return {
    program: join(tree, 'usr/lib/chromium/chromium'),
    environment: {
      LD_LIBRARY_PATH: libraries.join(delimiter),
      FONTCONFIG_PATH: join(tree, 'etc/fonts'),
      XDG_DATA_HOME: join(tree, 'usr/share'),
    },
  };
}
