// node page.mjs CHROMIUM PAGE.html [PICTURE.png]: opens a page without scripts of its own in a real browser, light and dark,
// wide and narrow; checks contrast and landmarks (axe-core), no request, no sideways scrolling, no link that leads nowhere.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [executablePath, file, picture] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const failures = [];
const claim = (text, ok, detail = '') => {
    console.log(`${ok ? 'ok      ' : 'FAILED  '}${text}${ok ? '' : ' ' + detail}`);
    if (!ok) failures.push(text);
};

const browser = await chromium.launch({
    executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

for (const colorScheme of ['light', 'dark']) {
    const context = await browser.newContext({ colorScheme, bypassCSP: true, viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    const requests = [];
    page.on('request', r => requests.push(r.url()));
    await page.goto(pathToFileURL(file).href);
    claim(`${colorScheme}: the only request is the file itself`, requests.length === 1, requests.join(' '));
    await page.evaluate(() => document.querySelectorAll('details').forEach(d => { d.open = true; }));
    await page.evaluate(axe);
    const result = await page.evaluate(() => window.axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
    }));
    const found = result.violations.map(v => `${v.id}: ${v.nodes.length} x ${v.nodes[0].html.slice(0, 160)} ` +
        `${v.nodes[0].any.map(a => a.message).join('; ').slice(0, 200)}`);
    claim(`${colorScheme}: axe-core finds nothing, contrast and landmarks included`, found.length === 0, '\n' + found.join('\n'));
    const lost = await page.evaluate(() => [...document.querySelectorAll('a')].map(a => a.getAttribute('href') ?? '')
        .filter(h => !h.startsWith('#') || !document.getElementById(h.slice(1))));
    claim(`${colorScheme}: every link leads to something on the page`, lost.length === 0, lost.slice(0, 5).join(' '));
    if (picture) await page.screenshot({ path: picture.replace('.png', `-${colorScheme}.png`), fullPage: true });
    await context.close();
}

{
    const context = await browser.newContext({ viewport: { width: 390, height: 800 } });
    const page = await context.newPage();
    await page.goto(pathToFileURL(file).href);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    claim('narrow: nothing scrolls sideways but tables and the diagram', over <= 1, `${over} px`);
    if (picture) await page.screenshot({ path: picture.replace('.png', '-narrow.png'), fullPage: true });
    await context.close();
}

await browser.close();
process.exit(failures.length ? 1 : 0);
