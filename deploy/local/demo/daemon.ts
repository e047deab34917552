import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CHECKOUT } from '../checkout.ts';

/** tailrace as a process, as an operator would run it. */
export class DemoDaemon {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number>;
  readonly logPath: string;

  private constructor(child: ChildProcess, logPath: string) {
    this.#child = child;
    this.logPath = logPath;
    this.#exit = new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  }

  /** Resolves with its HTTP address once it listens. */
  static async start(configPath: string, directory: string): Promise<{ daemon: DemoDaemon; url: string }> {
    const logPath = join(directory, 'tailrace.log');
    const child = spawn(process.execPath, [join(CHECKOUT, 'src/cli/main.ts'), 'run', '-c', configPath], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const daemon = new DemoDaemon(child, logPath);
    const log = createWriteStream(logPath);
    const lines: string[] = [];
    const listening = new Promise<string>((resolve) => {
      createInterface({ input: child.stderr! }).on('line', (line) => {
        log.write(`${line}\n`);
        lines.push(line);
        if (lines.length > 20) lines.shift();
        const url = /"url":"(http:[^"]+)"/.exec(line)?.[1];
        if (url !== undefined) resolve(url);
      });
    });
    const died = daemon.#exit.then((code) => {
      throw new Error(`tailrace ended with exit code ${code}:\n${lines.join('\n')}`);
    });
    const url = await Promise.race([listening, died]);
    died.catch(() => undefined);
    return { daemon, url };
  }

  /** SIGTERM, and SIGKILL after 15 s. */
  async stop(): Promise<number> {
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
    const code = await this.#exit;
    clearTimeout(late);
    return code;
  }
}
