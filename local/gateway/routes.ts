/** Finding a request's route: the most specific one, as API Gateway's HTTP APIs do. */
import type { Route } from './declared.ts';

export interface RouteMatch {
  route: Route;
  /** Decoded; a greedy parameter (`{name+}`) holds slashes. */
  parameters: Record<string, string>;
}

const isGreedy = (segment: string) => segment.endsWith('+}');
const isParameter = (segment: string) => segment.startsWith('{');
const nameOf = (segment: string) => segment.slice(1, isGreedy(segment) ? -2 : -1);

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not valid percent-encoding: the function sees what was sent.
    return text;
  }
}

function match(route: Route, segments: string[]): Record<string, string> | undefined {
  const parameters: Record<string, string> = {};
  for (const [index, wanted] of route.segments.entries()) {
    const actual = segments[index];
    if (actual === undefined || (actual === '' && isParameter(wanted))) return undefined;
    if (isGreedy(wanted)) {
      parameters[nameOf(wanted)] = segments.slice(index).map(decode).join('/');
      return parameters;
    }
    if (isParameter(wanted)) parameters[nameOf(wanted)] = decode(actual);
    else if (wanted !== actual) return undefined;
  }
  return route.segments.length === segments.length ? parameters : undefined;
}

/** Lower is more specific: fixed segments before parameters before greedy ones, a method before `ANY`. */
function rank({ segments, method }: Route): string {
  const path = segments
    .map((segment) => (isGreedy(segment) ? '2' : isParameter(segment) ? '1' : '0'))
    .join('');
  return `${path.includes('2') ? 1 : 0}${path}${method === 'ANY' ? 1 : 0}`;
}

export class RouteTable {
  private readonly routes: Route[];
  private readonly fallback: Route | undefined;

  constructor(routes: Route[]) {
    this.fallback = routes.find(({ key }) => key === '$default');
    this.routes = routes.filter(({ key }) => key !== '$default').sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  }

  find(method: string, path: string): RouteMatch | undefined {
    const segments = path.split('/').slice(1);
    for (const route of this.routes) {
      if (route.method !== 'ANY' && route.method !== method) continue;
      const parameters = match(route, segments);
      if (parameters) return { route, parameters };
    }
    return this.fallback && { route: this.fallback, parameters: {} };
  }
}
