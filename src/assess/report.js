/* Search, filters and open-all: comfort only, the report is whole without it. */
(function () {
    'use strict';
    document.documentElement.classList.add('js');
    var form = document.getElementById('f');
    var clauses = [].slice.call(document.querySelectorAll('details.c'));
    var query = form.querySelector('[type=search]');
    var count = form.querySelector('.out');
    var toggle = document.getElementById('oa');

    function filter() {
        var text = query.value.toLowerCase(), on = {}, shallOnly = false, shown = 0;
        [].forEach.call(form.querySelectorAll('[type=checkbox]'), function (box) {
            if (box.value === 'shall') shallOnly = box.checked;
            else on[box.value] = box.checked;
        });
        clauses.forEach(function (c) {
            var fits = on[c.dataset.v] && (!shallOnly || c.dataset.m === 'shall') &&
                (!text || c.textContent.toLowerCase().indexOf(text) >= 0);
            c.hidden = !fits;
            shown += fits ? 1 : 0;
        });
        [].forEach.call(document.querySelectorAll('.grp'), function (g) {
            g.hidden = !g.querySelector('details:not([hidden])');
        });
        count.textContent = shown + ' of ' + clauses.length + ' clauses';
    }
    function follow() {
        var target = location.hash && document.getElementById(location.hash.slice(1));
        if (target && target.tagName === 'DETAILS') {
            target.hidden = false;
            target.parentNode.hidden = false;
            target.open = true;
            target.scrollIntoView();
        }
    }
    form.addEventListener('input', filter);
    form.addEventListener('submit', function (e) { e.preventDefault(); });
    toggle.addEventListener('click', function () {
        var open = toggle.textContent === 'Open all';
        clauses.forEach(function (c) { c.open = open; });
        toggle.textContent = open ? 'Close all' : 'Open all';
    });
    addEventListener('hashchange', follow);
    var closed = [];
    addEventListener('beforeprint', function () {
        closed = clauses.filter(function (c) { return !c.open; });
        closed.forEach(function (c) { c.open = true; });
    });
    addEventListener('afterprint', function () {
        closed.forEach(function (c) { c.open = false; });
    });
    filter();
    follow();
})();
