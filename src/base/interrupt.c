/* Ctrl-C: the first signal asks long work to end in order, the second ends the process. */
#include <signal.h>
#include <stddef.h>

#include "base/cage.h"

static volatile sig_atomic_t is_interrupted;

static void on_signal(int number)
{
    if (is_interrupted) {
        (void)signal(number, SIG_DFL);
        (void)raise(number); /* delivered when this handler returns */
        return;
    }
    is_interrupted = 1;
}

static void install_one(int number)
{
    struct sigaction old;
    /* nohup and shells that start background jobs ignore SIGINT on purpose */
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
        return;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

void tut_interrupt_install(void)
{
    install_one(SIGINT);
    install_one(SIGTERM);
}

bool tut_interrupted(void)
{
    return is_interrupted != 0;
}
