/** I3: the page about an image, of an image that was really built, with what its owner wrote. */
import { expect, inject, it } from 'vitest';
import { apiOf, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);
const pageOf = (id: string) => api.get(`/v1/images/${id}/summary`);

it('I3 the summary page has logo, facts, last build and readme, and runs nothing', async () => {
  const repository = unique('summary');
  const readme =
    '# About\n\n**Bold** <script>alert(1)</script> [bad](javascript:alert(1)) [good](https://a.example/)\n\n<!-- hidden -->\n';
  const made = await api.post('/v1/images', {
    source: { type: 'build', dockerfile: `FROM ${tinyBase}\nLABEL a=${repository}\n` },
    registryId: 'reg_private',
    repository,
    tag: '1',
    readme,
    logo: 'python',
  });
  expect(made.status, JSON.stringify(made.body)).toBe(202);
  const { id } = made.body;
  expect((await pageOf(id)).body).toContain('is nothing to pull yet.');
  const image = await api.until(`/v1/images/${id}`, ({ status }) => status !== 'pending');
  expect(image.status).toBe('ready');

  const page = await pageOf(id);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[^']+'; img-src data:/,
  );
  expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  for (const said of [
    `<h1>${repository}:1</h1>`,
    '<p class="status ready">ready</p>',
    `docker pull ${image.uri.replace(/:1$/, '')}@${image.digest}`,
    tinyBase,
    'ada@acme.example',
    'Last build <span class="status succeeded">',
    '<h3>About</h3>',
    '<strong>Bold</strong> &lt;script&gt;',
    '[bad](javascript:alert(1))',
    'href="https://a.example/"',
    '&lt;!-- hidden --&gt;',
    'src="data:image/svg+xml;base64,',
  ])
    expect(page.body).toContain(said);
  expect(page.body).not.toMatch(/<script|href="(?!https:\/\/a\.example)/);

  const failing = await api.post(`/v1/images/${id}/builds`, {
    dockerfile: `FROM ${tinyBase}\nRUN echo "<b>no</b>" && exit 3\n`,
  });
  expect(failing.status, JSON.stringify(failing.body)).toBe(202);
  await api.until(`/v1/images/${id}`, ({ currentBuild }) => currentBuild.status === 'failed');
  const png =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  const put = await fetch(`${cloud.apiUrl}/v1/images/${id}/logo`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${cloud.token}`, 'content-type': 'image/png' },
    body: new Uint8Array(Buffer.from(png, 'base64')),
  });
  expect(put.status).toBe(200);
  const after = (await pageOf(id)).body;
  expect(after).toContain(`src="data:image/png;base64,${png}"`);
  // The image is what it was; its last build is not.
  expect(after).toContain('<p class="status ready">ready</p>');
  expect(after).toContain('Last build <span class="status failed">failed</span>');
  expect(after).toContain('<code>step-failed</code>');
  expect(after).toContain('echo &quot;&lt;b&gt;no&lt;/b&gt;&quot;');
  expect(after).not.toContain('<b>');
});

it('I3 there is no page of what is not there, nor of images that everybody has', async () => {
  expect((await pageOf('img_01aaaaaaaa')).status).toBe(404);
  expect((await pageOf('img_kubeflow-jupyter-scipy')).body.type).toBe('urn:slipway:problem:catalogue-image');
  const bare = await fetch(`${cloud.apiUrl}/v1/images/img_01aaaaaaaa/summary`);
  expect(bare.status).toBe(401);
});
