import type { Figure } from './report.ts';

/** Bar charts of the rates and of the processor time, as Mermaid draws them in Markdown. Runs without a figure are left out. */
export function renderCharts(figures: readonly Figure[]): string {
  const rates = figures.map(({ what, rows, seconds }): Bar => [what, Math.round(rows / seconds)]);
  const cpu = figures.flatMap(({ what, cpuMicrosPerRow: micros }): Bar[] =>
    micros === undefined ? [] : [[what, Number(micros.toFixed(2))]],
  );
  return [renderChart('rows a second', rates), ...(cpu.length > 0 ? [renderChart('CPU µs a row', cpu)] : [])].join(
    '\n',
  );
}

type Bar = readonly [label: string, value: number];

/** https://mermaid.js.org/syntax/xyChart.html */
function renderChart(title: string, bars: readonly Bar[]): string {
  return [
    '```mermaid',
    'xychart-beta horizontal',
    `  title "${title}"`,
    `  x-axis [${bars.map(([label]) => JSON.stringify(label)).join(', ')}]`,
    `  bar [${bars.map(([, value]) => value).join(', ')}]`,
    '```',
  ].join('\n');
}
