/**
 * SVG that only draws. What it may hold is listed, and the rest refused: scripts, event handlers, HTML inside, links,
 * animation, and whatever would be loaded from elsewhere.
 */
import { PictureError } from './picture-error.ts';
import { readXml, type XmlPart } from './xml.ts';

const svgNamespace = 'http://www.w3.org/2000/svg';
/** Elements of these run, or show, what isn't a picture; those of any other, such as an editor's own, do nothing. */
const activeNamespaces = ['http://www.w3.org/1999/xhtml', 'http://www.w3.org/1998/Math/MathML'];

const elements = new Set(
  `svg g defs symbol use switch title desc metadata style path rect circle ellipse line polyline polygon text tspan
  textPath image linearGradient radialGradient stop clipPath mask pattern marker filter feBlend feColorMatrix
  feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap feDistantLight feDropShadow
  feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feMerge feMergeNode feMorphology feOffset fePointLight
  feSpecularLighting feSpotLight feTile feTurbulence`.split(/\s+/),
);

/** Copies of copies grow without bound. */
const usesAtMost = 20;
const inlinePicture = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*$/;

type Opened = Extract<XmlPart, { kind: 'open' }>;
type Scope = ReadonlyMap<string, string>;

/** Throws `PictureError`, and `XmlError` for what isn't well-formed. */
export function requireSafeSvg(source: string): void {
  const scopes: Scope[] = [new Map([['xml', 'http://www.w3.org/XML/1998/namespace']])];
  const names: string[] = [];
  let styles = '';
  let uses = 0;
  for (const part of readXml(source)) {
    if (part.kind === 'close') {
      scopes.pop();
      names.pop();
    } else if (part.kind === 'text') {
      if (names.at(-1) === 'style') styles += part.text;
    } else {
      const scope = declared(part, scopes.at(-1) as Scope);
      const [name, namespace] = resolved(part.name, scope);
      if (names.length === 0 && (name !== 'svg' || namespace !== svgNamespace))
        throw new PictureError(`its root element is not <svg xmlns="${svgNamespace}">`);
      if (namespace === svgNamespace) requireDrawing(name, part);
      else if (activeNamespaces.includes(namespace)) throw new PictureError(`<${part.name}> is not allowed`);
      if (name === 'use' && ++uses > usesAtMost)
        throw new PictureError(`it has more than ${usesAtMost} <use> elements`);
      scopes.push(scope);
      names.push(namespace === svgNamespace ? name : '');
    }
  }
  requireOwnStyle(styles, '<style>');
}

/** Namespaces by prefix; the one without a prefix is under the empty name. */
function declared({ attributes }: Opened, outside: Scope): Scope {
  const inside = new Map(outside);
  for (const [name, value] of attributes) {
    if (name === 'xmlns') inside.set('', value);
    else if (name.startsWith('xmlns:')) inside.set(name.slice(6), value);
  }
  return inside;
}

function resolved(name: string, scope: Scope): [local: string, namespace: string] {
  const colon = name.indexOf(':');
  const prefix = colon < 0 ? '' : name.slice(0, colon);
  const namespace = scope.get(prefix);
  if (namespace === undefined && prefix) throw new PictureError(`the prefix of <${name}> is not declared`);
  return [name.slice(colon + 1), namespace ?? ''];
}

function requireDrawing(name: string, { attributes }: Opened): void {
  if (!elements.has(name)) throw new PictureError(`<${name}> is not allowed in a logo`);
  for (const [full, value] of attributes) {
    const local = full.slice(full.indexOf(':') + 1).toLowerCase();
    if (local.startsWith('on'))
      throw new PictureError(`the event handler "${full}" of <${name}> is not allowed`);
    if (full === 'xml:base') throw new PictureError('xml:base is not allowed');
    if (local === 'href' || local === 'src') {
      const own = value.trim().startsWith('#') || (name === 'image' && inlinePicture.test(value.trim()));
      if (!own) throw new PictureError(`<${name}> refers to something outside the file`);
    } else if (!full.includes(':')) requireOwnStyle(value, `"${full}" of <${name}>`);
  }
}

/** Styles load by `url()` and by `@import`; escapes could write either in another way. */
function requireOwnStyle(css: string, where: string): void {
  if (/@import|image-set\s*\(|(?:^|[^\w-])src\s*\(|url\s*\(\s*(?!\s|["']?\s*#)/i.test(css))
    throw new PictureError(`${where} refers to something outside the file`);
  if (css.includes('\\')) throw new PictureError(`${where} contains a backslash`);
}
