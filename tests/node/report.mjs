// node report.mjs CHROMIUM REPORT.html [PICTURE.png]: opens the report in a real browser, with and without scripts,
// light and dark, wide and narrow; checks landmarks, contrast (axe-core), no request, no sideways scrolling.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [executablePath, report, picture] = process.argv.slice(2);
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

async function open(options) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const requests = [];
    page.on('request', r => requests.push(r.url()));
    const errors = [];
    page.on('pageerror', e => errors.push(String(e)));
    await page.goto(pathToFileURL(report).href);
    return { context, page, requests, errors };
}

for (const colorScheme of ['light', 'dark']) {
    // bypassCSP lets the checker in; the report's own policy is checked below.
    const { context, page, requests, errors } = await open({ colorScheme, bypassCSP: true, viewport: { width: 1280, height: 900 } });
    claim(`${colorScheme}: the only request is the file itself`, requests.length === 1, requests.join(' '));
    claim(`${colorScheme}: no script error`, errors.length === 0, errors.join(' '));
    await page.evaluate(() => document.querySelectorAll('details').forEach((d, i) => { d.open = i % 9 === 0; }));
    await page.evaluate(axe);
    const result = await page.evaluate(() => window.axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
    }));
    const found = result.violations.map(v => `${v.id}: ${v.nodes.length} x ${v.nodes[0].html.slice(0, 160)} ` +
        `${v.nodes[0].any.map(a => a.message).join('; ').slice(0, 200)}`);
    claim(`${colorScheme}: axe-core finds nothing, contrast and landmarks included`, found.length === 0, '\n' + found.join('\n'));
    if (picture) await page.screenshot({ path: picture.replace('.png', `-${colorScheme}.png`), fullPage: true });
    await context.close();
}

{
    const { context, page } = await open({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
    const count = selector => page.locator(selector).count();
    claim('without scripts: one h1', await count('h1') === 1);
    claim('without scripts: main, nav, header, footer',
        await count('main') === 1 && await count('nav') >= 1 && await count('header') >= 1 && await count('footer') === 1);
    claim('without scripts: all 72 clauses', await count('details.c') === 72);
    claim('without scripts: a clause opens', await (async () => {
        await page.locator('details.c > summary').first().click();
        return page.locator('details.c .det').first().isVisible();
    })());
    claim('without scripts: the filter form is hidden', !await page.locator('form.filt').isVisible());
    claim('the first stop of the keyboard skips to the result', await (async () => {
        await page.keyboard.press('Tab');
        return await page.locator('a.skip').count() === 1;
    })());
    await context.close();
}

{
    const { context, page } = await open({ viewport: { width: 390, height: 800 } });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    claim('narrow: nothing scrolls sideways but the tables', over <= 1, `${over} px`);
    if (picture) await page.screenshot({ path: picture.replace('.png', '-narrow.png'), fullPage: true });
    await context.close();
}

{
    const { context, page } = await open({ viewport: { width: 1280, height: 900 } });
    await page.locator('form.filt input[type=search]').fill('5.2.1-1');
    const shown = await page.locator('details.c:visible').count();
    claim('with scripts: search narrows the clauses', shown >= 1 && shown < 72, String(shown));
    await page.locator('form.filt input[type=search]').fill('');
    await page.locator('#oa').click();
    claim('with scripts: open all', await page.locator('details.c[open]').count() === 72);
    await page.goto(pathToFileURL(report).href + '#c-5.2.1-1');
    claim('with scripts: a link opens its clause', await page.locator('details[id="c-5.2.1-1"]').getAttribute('open') !== null);
    await context.close();
}

await browser.close();
process.exit(failures.length ? 1 : 0);
