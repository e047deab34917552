import { execFile } from 'node:child_process';

export interface RunCommandOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program to its end and resolves with its stdout. A failure carries the last lines of what the program said. */
export function runCommand(command: string, args: readonly string[], options: RunCommandOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      command,
      args,
      {
        cwd: options.cwd,
        env: { ...process.env, ...options.env },
        timeout: options.timeoutMs,
        killSignal: 'SIGKILL',
        signal: options.signal,
        maxBuffer: 64 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        if (options.signal?.aborted) return reject(options.signal.reason);
        const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n');
        const how = error.killed ? `did not end within ${options.timeoutMs / 1000} s` : `failed (${error.code})`;
        reject(new Error(`${[command, ...args].join(' ')} ${how}${said === '' ? '' : `:\n${said}`}`, { cause: error }));
      },
    );
  });
}

/** Absolute path of a program on the PATH, or null. */
export async function findProgram(name: string): Promise<string | null> {
  try {
    return (await runCommand('sh', ['-c', `command -v ${name}`], { timeoutMs: 10_000 })).trim();
  } catch (error) {
    if (typeof (error as Error & { cause?: { code?: unknown } }).cause?.code === 'number') return null;
    throw error;
  }
}
