/** The one place that knows how functions log: structured lines by Powertools, named by `POWERTOOLS_SERVICE_NAME`. */
import { Logger } from '@aws-lambda-powertools/logger';

/** `fields` hold ids, codes, durations and errors; never bodies, tokens or credentials. */
export interface Log {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
  error(message: string, fields: Record<string, unknown>): void;
}

export function createLog(): Log {
  const logger = new Logger();
  return {
    info: (message, fields) => logger.info(message, fields),
    warn: (message, fields) => logger.warn(message, fields),
    error: (message, fields) => logger.error(message, fields),
  };
}
