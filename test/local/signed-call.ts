/** A signed call of a JSON protocol, for services whose SDK client isn't a dependency. */
import { sha256Hex, sign, stringToSign } from '../../local/endpoint/canonical.ts';

interface Caller {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
}

/** @param target such as `AmazonSQS.ReceiveMessage` */
export async function signedCall(caller: Caller, service: string, target: string, input: object) {
  const timestamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = { date: timestamp.slice(0, 8), region: caller.region, service };
  const headers: Record<string, string> = {
    host: new URL(caller.endpoint).host,
    'x-amz-date': timestamp,
    'x-amz-target': target,
  };
  const names = Object.keys(headers).sort();
  const body = JSON.stringify(input);
  const request = { method: 'POST', path: '/', query: new URLSearchParams(), headers };
  const text = stringToSign(request, names, sha256Hex(body), scope, timestamp);
  const signature = sign(caller.credentials.secretAccessKey, scope, text);
  const credential = `${caller.credentials.accessKeyId}/${scope.date}/${scope.region}/${service}/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  const answer = await fetch(caller.endpoint, {
    method: 'POST',
    body,
    headers: { ...headers, authorization, 'content-type': 'application/x-amz-json-1.0' },
  });
  // biome-ignore lint/suspicious/noExplicitAny: whatever the service answers
  return { status: answer.status, output: (await answer.json()) as any };
}
