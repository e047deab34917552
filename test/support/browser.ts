import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { CHECKOUT } from '../../deploy/local/checkout.ts';
import { findChromium, type NoChromium } from '../../deploy/local/chromium.ts';
import { reportToStderr } from '../../deploy/local/report.ts';

/** A headless Chromium, or why there is none: then the test is skipped with that as its reason. */
export async function launchBrowser(signal: AbortSignal): Promise<Browser | NoChromium> {
  const found = await findChromium(reportToStderr, signal);
  if ('missing' in found) return found;
  const environment = Object.entries({ ...process.env, ...found.environment });
  return chromium.launch({
    executablePath: found.program,
    env: Object.fromEntries(environment.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    timeout: 60_000,
  });
}

/** What a page said and asked for: both are empty for one that behaves. */
export interface PageRecord {
  /** Errors and warnings of the console, and errors that nobody caught. */
  readonly complaints: string[];
  readonly urls: string[];
}

export function recordPage(page: Page): PageRecord {
  const record: PageRecord = { complaints: [], urls: [] };
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') record.complaints.push(message.text());
  });
  page.on('pageerror', (error) => record.complaints.push(String(error)));
  page.on('request', (request) => record.urls.push(request.url()));
  return record;
}

/** Kept below `test/output`, for people. */
export async function screenshot(page: Page, folder: string, name: string): Promise<void> {
  const directory = join(CHECKOUT, 'test', 'output', folder);
  await mkdir(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
}
