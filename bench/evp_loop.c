/* The limit for hashing files: as many threads as asked for, each reading a file in blocks and
 * hashing them with OpenSSL, file after file. Nothing else: no listing, no checks, no output but
 * the digests. evp_loop THREADS FILE... */
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCK = 128 << 10, THREADS_MAX = 64 };

static char **files;
static unsigned char (*digests)[32];
static int count;
static atomic_int next;

static void *work(void *unused)
{
    unsigned char *block = malloc(BLOCK);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    for (int i; (i = atomic_fetch_add(&next, 1)) < count;) {
        int fd = open(files[i], O_RDONLY);
        if (fd < 0 || !block || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
            exit(1);
        for (ssize_t n; (n = read(fd, block, BLOCK)) > 0;)
            EVP_DigestUpdate(ctx, block, (size_t)n);
        EVP_DigestFinal_ex(ctx, digests[i], NULL);
        close(fd);
    }
    EVP_MD_CTX_free(ctx);
    free(block);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    int wanted = argc > 2 ? atoi(argv[1]) : 0;
    if (wanted < 1 || wanted > THREADS_MAX)
        return 2;
    files = argv + 2;
    count = argc - 2;
    digests = calloc((size_t)count, sizeof(*digests));
    for (int i = 0; i < wanted; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return 1;
    for (int i = 0; i < wanted; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < count; i++)
        printf("%02x%02x%02x%02x\n", digests[i][0], digests[i][1], digests[i][2], digests[i][3]);
    return 0;
}
