// Only mail is sent by libcurl. curl_easy_setopt is variadic, which Swift does not import: one function for each type.
#include <stdio.h>
#include <curl/curl.h>

static inline CURLcode curl_set_number(CURL *handle, CURLoption option, long value) { return curl_easy_setopt(handle, option, value); }

static inline CURLcode curl_set_text(CURL *handle, CURLoption option, const char *value) { return curl_easy_setopt(handle, option, value); }

static inline CURLcode curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode curl_set_file(CURL *handle, CURLoption option, FILE *value) { return curl_easy_setopt(handle, option, value); }

static inline CURLcode curl_set_buffer(CURL *handle, CURLoption option, char *value) { return curl_easy_setopt(handle, option, value); }
