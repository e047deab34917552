import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from '../../deploy/local/checkout.ts';

export interface GridPosition {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: GridPosition;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly definition?: string;
}

/** What a test looks at of a dashboard in Grafana's JSON model. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

export function readDashboard(): Dashboard {
  return JSON.parse(readFileSync(join(CHECKOUT, 'deploy', 'grafana', 'dashboard.json'), 'utf8'));
}

/** Each query of the dashboard with its panel, variables replaced as Grafana does. */
export function dashboardQueries(
  dashboard: Dashboard,
  variables: Readonly<Record<string, string>>,
): readonly { readonly title: string; readonly query: string }[] {
  return dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      title,
      query: expr.replace(/\$(?:\{(\w+)\}|(\w+))/g, (text, braced, plain) => {
        const value = variables[braced ?? plain];
        if (value === undefined) throw new Error(`${title}: nobody knows the variable ${text}`);
        return value;
      }),
    })),
  );
}
