// A page that needs nothing else: no script, no reference, its style inside. Knows no report.
import { html, type Markup, trusted } from './html.js';
import { STYLE } from './style.js';

/** The policy holds whatever a stranger's text might have slipped in: nothing is loaded and nothing runs. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** From `<!doctype html>` to the last line feed. */
export function documentOf(title: string, sections: readonly Markup[]): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
${sections}
</body>
</html>
`;
  return page.markup;
}
