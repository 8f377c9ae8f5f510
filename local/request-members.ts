/** Reads the members of a JSON request the way AWS validates them: wrong types, missing members, limits. */
import { AwsError } from './platform.ts';

export interface StringLimits {
  min?: number;
  max?: number;
  pattern?: RegExp;
  /** Limit on the UTF-8 length, where AWS counts bytes. */
  maxBytes?: number;
}

const failed = (errorCode: string, name: string, constraint: string): AwsError =>
  new AwsError(
    errorCode,
    `1 validation error detected: Value at '${name.charAt(0).toLowerCase()}${name.slice(1)}' failed to satisfy constraint: Member must ${constraint}`,
  );

/**
 * A request's members. A wrong JSON type is a `SerializationException`, as AWS's own deserializer says; a
 * missing member or a broken limit is the service's own `errorCode` (such as `ValidationException`).
 */
export class RequestMembers {
  readonly #values: Record<string, unknown>;
  readonly #errorCode: string;

  constructor(input: unknown, errorCode: string) {
    if (input !== undefined && (typeof input !== 'object' || input === null || Array.isArray(input)))
      throw new AwsError('SerializationException', 'Start of structure or map found where not expected.');
    this.#values = { ...(input as Record<string, unknown> | undefined) };
    this.#errorCode = errorCode;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null;
  }

  string(name: string, limits: StringLimits = {}): string {
    const value = this.optionalString(name, { min: 1, ...limits });
    if (value === undefined) throw failed(this.#errorCode, name, 'not be null');
    return value;
  }

  optionalString(name: string, limits: StringLimits = {}): string | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#values[name];
    if (typeof value !== 'string') throw this.#wrongType(name, 'a String');
    if (value.length < (limits.min ?? 0))
      throw failed(this.#errorCode, name, `have length greater than or equal to ${limits.min}`);
    const tooLong =
      (limits.max !== undefined && value.length > limits.max) ||
      (limits.maxBytes !== undefined && Buffer.byteLength(value) > limits.maxBytes);
    if (tooLong)
      throw failed(
        this.#errorCode,
        name,
        `have length less than or equal to ${limits.max ?? limits.maxBytes}`,
      );
    if (limits.pattern && !limits.pattern.test(value))
      throw failed(
        this.#errorCode,
        name,
        `satisfy regular expression pattern: ${limits.pattern.source.replace(/^\^|\$$/g, '')}`,
      );
    return value;
  }

  optionalInteger(name: string, min: number, max: number): number | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#values[name];
    if (typeof value !== 'number') throw this.#wrongType(name, 'a Number');
    if (!Number.isInteger(value)) throw this.#wrongType(name, 'an Integer');
    if (value < min) throw failed(this.#errorCode, name, `have value greater than or equal to ${min}`);
    if (value > max) throw failed(this.#errorCode, name, `have value less than or equal to ${max}`);
    return value;
  }

  boolean(name: string, otherwise: boolean): boolean {
    if (!this.has(name)) return otherwise;
    const value = this.#values[name];
    if (typeof value !== 'boolean') throw this.#wrongType(name, 'a Boolean');
    return value;
  }

  /** The elements of a list, each wrapped if it is a structure. Absent means empty. */
  structures(name: string, maxCount = Number.POSITIVE_INFINITY): RequestMembers[] {
    return this.#list(name, maxCount).map((one) => new RequestMembers(one, this.#errorCode));
  }

  strings(name: string, maxCount = Number.POSITIVE_INFINITY): string[] {
    return this.#list(name, maxCount).map((one) => {
      if (typeof one !== 'string') throw this.#wrongType(name, 'a list of String');
      return one;
    });
  }

  structure(name: string): RequestMembers | undefined {
    return this.has(name) ? new RequestMembers(this.#values[name], this.#errorCode) : undefined;
  }

  #list(name: string, maxCount: number): unknown[] {
    if (!this.has(name)) return [];
    const value = this.#values[name];
    if (!Array.isArray(value)) throw this.#wrongType(name, 'a list');
    if (value.length > maxCount)
      throw failed(this.#errorCode, name, `have length less than or equal to ${maxCount}`);
    return value;
  }

  #wrongType(name: string, expected: string): AwsError {
    return new AwsError('SerializationException', `${name} can not be converted to ${expected}`);
  }
}
