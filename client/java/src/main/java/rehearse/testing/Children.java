package rehearse.testing;

import java.util.List;
import java.util.NoSuchElementException;

/**
 * The getters that a run and each of its operations have for what is directly below. Names need not be
 * unique: a getter gives the first operation of its type and name in order of creation.
 * NoSuchElementException, with what there is, without one.
 */
abstract class Children {
    public TestOperation getStep(String name) {
        return get(OperationType.STEP, name);
    }

    public TestOperation getWait(String name) {
        return get(OperationType.WAIT, name);
    }

    public TestOperation getContext(String name) {
        return get(OperationType.CONTEXT, name);
    }

    public TestOperation getCallback(String name) {
        return get(OperationType.CALLBACK, name);
    }

    /** Of a chained invoke. */
    public TestOperation getInvoke(String name) {
        return get(OperationType.CHAINED_INVOKE, name);
    }

    /** All that is directly below, in order of creation. */
    public abstract List<TestOperation> getChildOperations();

    private TestOperation get(OperationType type, String name) {
        List<TestOperation> children = getChildOperations();
        return children.stream()
                .filter(child -> child.getType() == type && child.getName().equals(name))
                .findFirst()
                .orElseThrow(() -> new NoSuchElementException(
                        "there is no " + type + " \"" + name + "\" here, but: " + children));
    }
}
