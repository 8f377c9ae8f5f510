/** What a target gets of an event: all of it, a part, a constant, or a template. */
import type { CloudEvent } from '../platform.ts';

/** An event as targets see it. */
export interface BusEvent extends CloudEvent {
  version: '0';
  id: string;
  account: string;
  region: string;
  time: string;
  resources: string[];
}

/** The members of a declared target that shape its input. */
export interface TargetInput {
  Input?: string;
  InputPath?: string;
  InputTransformer?: { InputPathsMap?: Record<string, string>; InputTemplate: string };
}

/** The value at a JSONPath of names and indexes (`$.detail['a-b'][0]`); undefined where there is none. */
function valueAt(document: unknown, path: string): unknown {
  if (!/^\$(\.[^.[\]]+|\[\d+\]|\['[^']+'\])*$/.test(path))
    throw new Error(`EventBridge does not support the JSONPath ${path}`);
  let value = document;
  for (const [, name, index, quoted] of path.slice(1).matchAll(/\.([^.[\]]+)|\[(\d+)\]|\['([^']+)'\]/g)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[name ?? index ?? quoted ?? ''];
  }
  return value;
}

function transform(
  event: BusEvent,
  transformer: NonNullable<TargetInput['InputTransformer']>,
  rule: { name: string; arn: string },
): string {
  const values: Record<string, unknown> = {
    'aws.events.rule-arn': rule.arn,
    'aws.events.rule-name': rule.name,
    'aws.events.event.ingestion-time': event.time,
    'aws.events.event': { ...event, detail: undefined },
    'aws.events.event.json': event,
  };
  for (const [name, path] of Object.entries(transformer.InputPathsMap ?? {}))
    values[name] = valueAt(event, path);
  // Inside a string of the template a value is its text; anywhere else it is JSON.
  return transformer.InputTemplate.replace(/"(?:[^"\\]|\\.)*"|<([\w.-]+)>/g, (part, name?: string) => {
    if (name !== undefined) return name in values ? (JSON.stringify(values[name]) ?? '') : part;
    return part.replace(/<([\w.-]+)>/g, (placeholder, inner: string) => {
      if (!(inner in values)) return placeholder;
      const value = values[inner] ?? '';
      const plain = typeof value === 'string' ? value : JSON.stringify(value);
      return JSON.stringify(plain).slice(1, -1);
    });
  });
}

/** The payload for a target, as JSON text. A template that isn't JSON is a text, as in EventBridge. */
export function targetPayload(
  event: BusEvent,
  target: TargetInput,
  rule: { name: string; arn: string },
): string {
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath !== undefined) return JSON.stringify(valueAt(event, target.InputPath) ?? null);
  if (!target.InputTransformer) return JSON.stringify(event);
  const made = transform(event, target.InputTransformer, rule);
  try {
    JSON.parse(made);
    return made;
  } catch {
    // Not JSON: the target gets the text as a JSON string.
    return JSON.stringify(made);
  }
}
