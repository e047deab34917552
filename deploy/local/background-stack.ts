import { CHECKOUT } from './checkout.ts';
import { backgroundDirectory, readRecord, runningProcesses } from './run-directory.ts';
import type { StackUrls } from './stack-urls.ts';

/** URLs of the stack that `npm run stack -- up` left running in this checkout, or null. */
export function runningStack(): StackUrls | null {
  const directory = backgroundDirectory(CHECKOUT);
  const urls = readRecord(directory)?.urls;
  return urls === undefined || runningProcesses(directory).size === 0 ? null : urls;
}
