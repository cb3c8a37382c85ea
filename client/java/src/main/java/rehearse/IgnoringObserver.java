package rehearse;

import io.grpc.stub.StreamObserver;

final class IgnoringObserver<T> implements StreamObserver<T> {
    @Override
    public void onNext(T value) {}

    @Override
    public void onError(Throwable t) {}

    @Override
    public void onCompleted() {}
}
