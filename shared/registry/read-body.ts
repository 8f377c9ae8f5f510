import type { IncomingMessage } from 'node:http';
import { RegistryError } from './model.ts';
import { classified } from './network-errors.ts';

/** The whole body. Throws `too-large` above `limitBytes`, and `unreachable` when it isn't all there in `withinMs`. */
export async function readBody(
  answer: IncomingMessage,
  host: string,
  limitBytes: number,
  withinMs = 30_000,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const late = setTimeout(
    () => answer.destroy(new RegistryError('unreachable', host, `${host} sends too slowly`)),
    withinMs,
  );
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > limitBytes)
        throw new RegistryError('too-large', host, `${host} sent more than ${limitBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw classified(error, host);
  } finally {
    clearTimeout(late);
    answer.destroy();
  }
  return Buffer.concat(chunks);
}
