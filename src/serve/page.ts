// The page at /: what the server offers, and two texts to try. Script and style are files of their own, so that the browser can be told to
// run nothing else.
import { type Endpoint, endpoint } from './endpoint.js';

/** Nothing from elsewhere, nothing inline, no frame around it, no form that leaves it. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>embedkit</title>
<link rel="stylesheet" href="page.css">
<script src="page.js" defer></script>
</head>
<body>
<h1>embedkit</h1>
<p id="models">This page needs its script.</p>
<h2>Two texts</h2>
<form id="try">
<label>One <textarea id="one" rows="3">How do I mend a flat tyre?</textarea></label>
<label>Another <textarea id="another" rows="3">Take the wheel off and look for the hole in the tube.</textarea></label>
<label>The first is a <select id="prompt"><option value="query">query</option><option value="none">text like the second</option></select></label>
<label>API key, if the server has any <input id="key" type="password" autocomplete="off"></label>
<button>Compare</button>
</form>
<p><output id="similarity"></output></p>
<h2>Routes</h2>
<table id="routes"></table>
<p>The whole of it: <a href="openapi.json">openapi.json</a></p>
</body>
</html>
`;

const CSS = `body { font: 16px/1.5 system-ui, sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
h1, h2 { line-height: 1.2; font-weight: 600 }
label { display: block; margin: .6em 0 }
textarea, input { display: block; width: 100%; box-sizing: border-box; font: inherit }
select, button { font: inherit }
output { font-size: 1.25em }
td { padding: .1em 1em .1em 0; vertical-align: top }
td:nth-child(-n+2) { font-family: ui-monospace, monospace; white-space: nowrap }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } a { color: #8bf } }
`;

// The browser's side. What comes from the server or the user enters the page as text only.
const SCRIPT = `const find = (id) => document.getElementById(id);
const headers = () => ({ 'content-type': 'application/json', ...(find('key').value && { authorization: 'Bearer ' + find('key').value }) });
const vectorsOf = async (texts, prompt) => {
  const response = await fetch('embed', { method: 'POST', headers: headers(), body: JSON.stringify({ texts, prompt }) });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error.message);
  return body;
};
const cosine = (a, b) => {
  let dot = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) { dot += a[i] * b[i]; aa += a[i] * a[i]; bb += b[i] * b[i]; }
  return dot / Math.sqrt(aa * bb);
};
find('try').addEventListener('submit', async (event) => {
  event.preventDefault();
  const shown = find('similarity');
  shown.textContent = '...';
  try {
    const [one, another] = await Promise.all([vectorsOf([find('one').value], find('prompt').value), vectorsOf([find('another').value])]);
    const similarity = cosine(one.embeddings[0], another.embeddings[0]);
    shown.textContent = 'cosine similarity ' + similarity.toFixed(3) + ' (' + (one.tokens + another.tokens) + ' tokens, ' + one.model + ')';
  } catch (error) {
    shown.textContent = error.message;
  }
});
const showRoutes = async () => {
  const { paths } = await (await fetch('openapi.json')).json();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { summary }] of Object.entries(methods)) {
      const row = find('routes').insertRow();
      for (const text of [method.toUpperCase(), path, summary]) row.insertCell().textContent = text;
    }
  }
};
const showModels = async () => {
  const response = await fetch('info', { headers: headers() });
  const shown = find('models');
  if (!response.ok) return void (shown.textContent = 'This server wants an API key.');
  const { models } = await response.json();
  shown.textContent = models.map((m) => m.name + ': ' + m.dim + ' dimensions, ' + m.max_tokens + ' tokens, ' + m.precision).join('; ');
};
showRoutes();
showModels();
`;

const PARTS = [
  { url: '/', summary: 'A page to try it', mediaType: 'text/html; charset=utf-8', text: HTML },
  { url: '/page.css', summary: 'Style of the page', mediaType: 'text/css; charset=utf-8', text: CSS },
  { url: '/page.js', summary: 'Script of the page', mediaType: 'text/javascript; charset=utf-8', text: SCRIPT },
];

export function pageRoutes(): Endpoint[] {
  return PARTS.map(({ url, summary, mediaType, text }) =>
    endpoint({
      method: 'GET',
      url,
      summary,
      guarded: false,
      mediaType,
      handle: async (_, { reply }) => {
        reply.headers({ 'content-security-policy': PAGE_POLICY, 'referrer-policy': 'no-referrer', 'cache-control': 'no-cache' });
        return text;
      },
    }),
  );
}
