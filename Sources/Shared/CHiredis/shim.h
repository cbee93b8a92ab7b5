// Only hiredis's reply reader is used; the connection is SwiftNIO's.
#include <stddef.h>
#include <hiredis/read.h>
