import { readSources } from './admin-api.js';
import { ConnectionBanner } from './connection-banner.js';
import { elementById, setText } from './fields.js';
import { SourceList } from './source-list.js';
import { TokenForm } from './token-form.js';

const INTERVAL_MS = 1_500;
/** While nobody looks. */
const HIDDEN_INTERVAL_MS = 10_000;

const banner = new ConnectionBanner();
const list = new SourceList();
const tokenForm = new TokenForm(() => {
  // What was shown was for the token before.
  list.clear();
  void poll();
});
/** The one poll whose answer counts: a newer one makes the answers of older ones void. */
let latest = 0;
let timer = 0;

setText(elementById('host', HTMLElement), location.host);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void poll();
});
void poll();

async function poll() {
  clearTimeout(timer);
  latest += 1;
  const mine = latest;
  const reading = await readSources(tokenForm.token);
  if (mine !== latest) return;
  const intervalMs = document.hidden ? HIDDEN_INTERVAL_MS : INTERVAL_MS;
  if (reading.kind === 'sources') {
    list.update(reading.sources, reading.aheadMs);
    tokenForm.accepted();
    banner.answered();
  } else if (reading.kind === 'token') {
    list.clear();
    tokenForm.ask(reading.detail);
    banner.needsToken();
    return;
  } else {
    banner.failed(reading.what, reading.detail, intervalMs);
  }
  timer = setTimeout(() => void poll(), intervalMs);
}
