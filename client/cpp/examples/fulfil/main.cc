#include "client/cpp/durable/lambda.h"

int main(int argc, char** argv) { return durable::Main(argc, argv); }
