/** How functions log: one JSON object a line, which CloudWatch Logs Insights finds fields in by itself. */

/** `fields` hold ids, codes, durations and errors; never bodies, tokens or credentials. */
export interface Log {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
  error(message: string, fields: Record<string, unknown>): void;
}

/** `write` takes a line with its end; by default standard output, past the console that Lambda puts prefixes on. */
export function createLog(
  write: (line: string) => void = (line) => process.stdout.write(line),
  now: () => Date = () => new Date(),
): Log {
  const service = process.env.AWS_LAMBDA_FUNCTION_NAME;
  const line = (level: string) => (message: string, fields: Record<string, unknown>) =>
    write(`${JSON.stringify({ level, message, time: now().toISOString(), service, ...fields }, readable)}\n`);
  return { info: line('INFO'), warn: line('WARN'), error: line('ERROR') };
}

/** Errors have nothing that JSON would show. */
function readable(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return typeof value === 'bigint' ? String(value) : value;
  const { name, message, stack, cause } = value;
  return { name, message, stack, ...(cause === undefined ? {} : { cause }) };
}
