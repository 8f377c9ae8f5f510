import { expect, it } from 'vitest';
import { createUpstream } from '../../../local/ecr/pull-through/upstream.ts';
import { openedByTests } from '../../shared/registry/opened.ts';
import { json, sha256, type TestServer } from '../../shared/registry/servers.ts';

const { server } = openedByTests();
const basic = `Basic ${btoa('robot:secret')}`;

it.each(['Bearer', 'Basic'])(
  "keeps a rule's password from a storage that upstream redirects to (%s)",
  async (scheme) => {
    const storage: TestServer = await server(() =>
      json(401, {}, { 'www-authenticate': `${scheme} realm="http://${storage.host}/token"` }),
    );
    const upstream = await server(({ headers }) =>
      headers.authorization === basic
        ? { status: 307, headers: { location: `http://${storage.host}/signed` } }
        : json(401, {}, { 'www-authenticate': 'Basic realm="x"' }),
    );
    const { blob } = createUpstream(`http://${upstream.host}`, { username: 'robot', accessToken: 'secret' });
    await expect(blob('app', sha256('x'))).rejects.toMatchObject({
      status: 401,
      message: expect.stringContaining(storage.host),
    });
    expect(storage.asked.map(({ headers }) => headers.authorization).filter(Boolean)).toEqual([]);
  },
);
