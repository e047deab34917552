import ZongJi from '@vlasky/zongji';

/** `zongji-reader.ts URL DATABASE TABLE FILE POSITION ROWS`: ends after so many rows, and prints its peak memory in KiB. */
const [url = '', database = '', table = '', filename = '', position = '', rows = ''] = process.argv.slice(2);
const { hostname, port, username, password } = new URL(url);
const zongji = new ZongJi({ host: hostname, port: Number(port), user: username, password });
let read = 0;
zongji.on('binlog', (event) => {
  read += (event as { rows?: unknown[] }).rows?.length ?? 0;
  if (read < Number(rows)) return;
  process.stdout.write(String(process.resourceUsage().maxRSS), () => process.exit(0));
});
zongji.on('error', (error: unknown) => {
  console.error(error);
  process.exit(1);
});
zongji.start({
  serverId: 4242,
  filename,
  position: Number(position),
  includeEvents: ['tablemap', 'writerows'],
  includeSchema: { [database]: [table] },
});
