/**
 * A readme as HTML. Its own HTML stays text, only links to the web and to mail are links, and pictures are links too:
 * the page loads nothing.
 */
import MarkdownIt from 'markdown-it';
import { Html } from '../../shared/text/html.ts';

const markdown = new MarkdownIt({ html: false, linkify: false });
const { rules, renderToken } = markdown.renderer;

markdown.validateLink = (url) => /^(?:https?:\/\/|mailto:)/i.test(url.trim());

rules.link_open = (tokens, index, options) => {
  tokens[index]?.attrSet('rel', 'noopener noreferrer nofollow');
  return renderToken.call(markdown.renderer, tokens, index, options);
};

rules.image = (tokens, index) => {
  const { escapeHtml } = markdown.utils;
  const token = tokens[index];
  const url = String(token?.attrGet('src') ?? '');
  return `<a rel="noopener noreferrer nofollow" href="${escapeHtml(url)}">Picture: ${escapeHtml(token?.content || url)}</a>`;
};

/** The page has the first two levels of headings. */
const levelsAbove = 2;
rules.heading_open = rules.heading_close = (tokens, index, options) => {
  const token = tokens[index];
  if (token) token.tag = `h${Math.min(6, Number(token.tag.slice(1)) + levelsAbove)}`;
  return renderToken.call(markdown.renderer, tokens, index, options);
};

/** Wide tables scroll by themselves, and their columns are aligned by class, since the page allows no style attributes. */
rules.table_open = () => '<div class="wide"><table>';
rules.table_close = () => '</table></div>';
rules.th_open = rules.td_open = (tokens, index, options) => {
  const token = tokens[index];
  const [, side] = /^text-align:(\w+)$/.exec(String(token?.attrGet('style') ?? '')) ?? [];
  if (token) token.attrs = side ? [['class', side]] : null;
  return renderToken.call(markdown.renderer, tokens, index, options);
};

/** Never fails: every text is Markdown. */
export const readmeHtml = (text: string): Html => new Html(markdown.render(text));
