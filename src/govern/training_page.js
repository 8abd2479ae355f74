/* Writes the sheet of answers while questions are ticked. The page works without: the sheet is short
 * enough to be written by hand. */
(function () {
    'use strict';
    var form = document.getElementById('questions');
    var sheet = document.getElementById('sheet');
    var told = document.getElementById('told');
    var head = sheet.value.split('\n').slice(0, 3).join('\n');

    function write() {
        var words = [], open = [];
        [].forEach.call(form.querySelectorAll('fieldset'), function (q, i) {
            var letters = [].map.call(q.querySelectorAll('input:checked'), function (box) {
                return box.value;
            }).join('');
            if (letters) words.push(String(i + 1) + letters);
            else open.push(i + 1);
        });
        sheet.value = head + '\nanswers ' + words.join(' ') + '\n';
        told.textContent = open.length ? 'Still open: ' + open.join(', ') + '.' : 'All are answered.';
    }
    form.addEventListener('change', write);
    form.addEventListener('submit', function (e) { e.preventDefault(); });
    document.getElementById('save').addEventListener('click', function () {
        var link = document.createElement('a');
        link.href = URL.createObjectURL(new Blob([sheet.value], { type: 'text/plain' }));
        link.download = sheet.dataset.name;
        link.click();
        setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
    });
    document.getElementById('copy').addEventListener('click', function () {
        sheet.select();
        document.execCommand('copy');
        told.textContent = 'Copied.';
    });
    document.documentElement.classList.add('js');
    write();
}());
