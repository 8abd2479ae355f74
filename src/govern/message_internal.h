/* Between the files about messages. */
#ifndef TUT_GOVERN_MESSAGE_INTERNAL_H
#define TUT_GOVERN_MESSAGE_INTERNAL_H

#include "govern/message.h"

#define TUT_DELIVERY_SCHEMA "tutela.delivery/1"

#endif
